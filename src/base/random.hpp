#pragma once

#include <cstddef>
#include <string>

namespace molecule {

/// Fills `size` bytes (at most 256) with the kernel's random numbers. Throws `std::system_error`.
void fill_random(void* target, std::size_t size);

/// `bytes` random bytes from the kernel as base64url without padding: 32 give the 43 characters of
/// a workspace token (platform-api.md 0.1).
std::string random_token(std::size_t bytes = 32);

/// Uniform in [0, 1), for jitter; not secret.
double random_unit();

}  // namespace molecule
