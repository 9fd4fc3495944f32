#pragma once

#include <cstddef>
#include <string>

#include "base/json/writer.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::tools {

/// How much of a message is shown; by default all of it.
struct Shown {
  std::size_t offset = 0;
  std::size_t max_bytes = std::string::npos;
};

/// The message as the tools show it: members of an object, and a whole object's text. A text that
/// is cut has `next_offset`, with which `inbox_peek` shows the rest.
void write_message(json::Object& object, const workspace::Message& message, Shown shown = {});
std::string to_json(const workspace::Message& message, Shown shown = {});
/// True if `shown` is not all of its text.
bool is_cut(const workspace::Message& message, Shown shown);

}  // namespace molecule::tools
