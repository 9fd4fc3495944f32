#pragma once

#include <string>
#include <string_view>

namespace molecule {

// Of our own, because a cryptographic library would double the program's start for a hash that few
// use.

/// SHA-256 (FIPS 180-4) in lower-case hexadecimal.
std::string sha256(std::string_view text);

/// HMAC-SHA256 (RFC 2104) in lower-case hexadecimal.
std::string hmac_sha256(std::string_view key, std::string_view message);

}  // namespace molecule
