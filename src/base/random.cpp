#include "base/random.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <string_view>
#include <system_error>

namespace molecule {

void fill_random(void* target, std::size_t size) {
  if (getentropy(target, size) != 0) {
    throw std::system_error(errno, std::generic_category(), "getentropy");
  }
}

std::string random_token(std::size_t bytes) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<unsigned char, 256> raw{};
  fill_random(raw.data(), std::min(bytes, raw.size()));
  std::string out;
  unsigned buffer = 0;
  int bits = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    buffer = (buffer << 8) | raw.at(i);
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += alphabet[(buffer >> bits) & 63U];
    }
  }
  if (bits > 0) out += alphabet[(buffer << (6 - bits)) & 63U];
  return out;
}

double random_unit() {
  static thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace molecule
