#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace molecule {

/// Replaces what looks like a secret by `[REDACTED]` before text leaves this machine; idempotent
/// (the patterns: molecule-mcp.md 6). Takes time linear in the text, whatever the text is.
std::string redact_secrets(std::string_view text);

/// A shorter secret is not searched for in texts: it would be found within ordinary words.
inline constexpr std::size_t least_secret = 8;
/// Replaces `secret`, where it is long enough to be one, by `[REDACTED]`.
std::string hide_secret(std::string_view text, std::string_view secret);

}  // namespace molecule
