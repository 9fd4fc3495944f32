#pragma once

#include <string>
#include <string_view>

#include "base/json/writer.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// The URL at which clients reach the platform: the operator's setting, else the address that the
/// request used (its Host has been checked).
std::string public_url(const std::string& base_url, const Request& request);

/// The texts a user copies to connect an agent (platform-api.md 2.1 `connection`). They contain the
/// real token, run as pasted, and register for polling; an empty one is shown as a mark that says
/// to rotate. `platform_url` has no trailing slash; none of the three contains quotes or spaces.
void write_connection(json::Object& connection, std::string_view platform_url,
                      std::string_view workspace_id, std::string_view token);

}  // namespace molecule::server
