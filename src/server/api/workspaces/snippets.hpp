#pragma once

#include <string>
#include <string_view>

#include "base/json/writer.hpp"

namespace molecule::server {

/// The texts a user copies to connect an agent (platform-api.md 2.1 `connection`). They contain the
/// real token, run as pasted, and register for polling. `platform_url` has no trailing slash; none
/// of the three contains quotes or spaces.
void write_connection(json::Object& connection, std::string_view platform_url,
                      std::string_view workspace_id, std::string_view token);

}  // namespace molecule::server
