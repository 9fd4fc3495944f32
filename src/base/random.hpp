#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace molecule {

/// `bytes` from the kernel's generator, base64url without padding: 32 give the 43 characters of
/// a workspace token (platform-api.md 0.1).
std::string random_token(std::size_t bytes = 32);

/// A random UUID (version 4), lower case.
std::string random_uuid();

/// Uniform in [0, 1), for jitter; not secret.
double random_unit();

/// True for 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text);

}  // namespace molecule
