#pragma once

#include <string>
#include <string_view>

namespace molecule {

/// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal. Of our own because a cryptographic library
/// would double the program's start for a signature that few use.
std::string hmac_sha256(std::string_view key, std::string_view message);

}  // namespace molecule
