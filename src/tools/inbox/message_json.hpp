#pragma once

#include <string>

#include "workspace/store/inbox/message.hpp"

namespace molecule::tools {

/// The message as the tools show it: a JSON object's text.
std::string to_json(const workspace::Message& message);

}  // namespace molecule::tools
