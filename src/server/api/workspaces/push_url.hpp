#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace molecule::server {

/// The text of the refusal if `url` is not acceptable as a push URL (platform-api.md 1.1, step 5).
/// Names are not resolved: this platform never connects to such a URL, it only passes it on to
/// peers.
std::optional<std::string> push_url_problem(std::string_view url);

}  // namespace molecule::server
