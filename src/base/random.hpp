#pragma once

#include <cstddef>
#include <string>

namespace molecule {

/// Fills `size` bytes (at most 256) from the kernel's generator. Throws `std::system_error`.
void fill_random(void* target, std::size_t size);

/// `bytes` from the kernel's generator, base64url without padding: 32 give the 43 characters of
/// a workspace token (platform-api.md 0.1).
std::string random_token(std::size_t bytes = 32);

/// Uniform in [0, 1), for jitter; not secret.
double random_unit();

}  // namespace molecule
