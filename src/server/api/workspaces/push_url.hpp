#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace molecule::server {

/// Why a workspace may not be pushed to at `url` (platform-api.md 1.1, step 5), as the text of the
/// refusal; nothing where it may. Names are not looked up: this platform itself never connects to
/// such a URL, it only hands it to peers.
std::optional<std::string> push_url_problem(std::string_view url);

}  // namespace molecule::server
