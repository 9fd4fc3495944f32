#pragma once

#include <string>
#include <string_view>

namespace molecule {

/// SHA-256 in hexadecimal, for short texts: tells whether two secrets are the same without keeping
/// one of them.
std::string sha256_hex_of(std::string_view text);

}  // namespace molecule
