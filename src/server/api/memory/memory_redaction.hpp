#pragma once

#include <string>
#include <string_view>

namespace molecule::server {

/// The content as it is stored (platform-api.md 6.1): each part that looks like a secret becomes
/// `[REDACTED:LABEL]`. Takes linear time for any text.
std::string redact_memory(std::string_view content);

}  // namespace molecule::server
