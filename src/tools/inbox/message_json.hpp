#pragma once

#include <string>

#include "base/json/writer.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::tools {

/// The message as the tools show it: members of an object, and a whole object's text.
void write_message(json::Object& object, const workspace::Message& message);
std::string to_json(const workspace::Message& message);

}  // namespace molecule::tools
