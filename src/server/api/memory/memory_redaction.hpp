#pragma once

#include <string>
#include <string_view>

namespace molecule::server {

/// What is stored of a memory (platform-api.md 6.1): each secret-like piece becomes
/// `[REDACTED:LABEL]`. Takes time linear in the text, whatever the text is.
std::string redact_memory(std::string_view content);

}  // namespace molecule::server
