#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace molecule {

/// Replaces what looks like a secret by `[REDACTED]` before text leaves this machine (the patterns:
/// molecule-mcp.md 6). Idempotent; takes linear time for any text.
std::string redact_secrets(std::string_view text);

/// Shorter secrets are not hidden: they would be found within ordinary words.
inline constexpr std::size_t min_secret_bytes = 8;
/// Replaces `secret` by `[REDACTED]` if it has at least `min_secret_bytes`.
std::string hide_secret(std::string_view text, std::string_view secret);

}  // namespace molecule
