#pragma once

#include <string>
#include <string_view>

#include "base/json/writer.hpp"

namespace molecule::server {

/// What a person copies to connect an agent (platform-api.md 2.1 `connection`): the real token in
/// it, each text runs as pasted and registers for polling. `platform_url` without a slash at the
/// end; all three are known to be free of quotes and blanks.
void write_connection(json::Object& connection, std::string_view platform_url,
                      std::string_view workspace_id, std::string_view token);

}  // namespace molecule::server
