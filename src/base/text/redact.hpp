#pragma once

#include <string>
#include <string_view>

namespace molecule {

/// Replaces what looks like a secret by `[REDACTED]` before text leaves this machine; idempotent
/// (the patterns: molecule-mcp.md 6).
std::string redact_secrets(std::string_view text);

}  // namespace molecule
