#include "base/uuid.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "base/random.hpp"

namespace molecule {

namespace {

/// FNV-1a, from any start. Nobody gains by a collision: what is hashed is this agent's own, and a
/// cryptographic library would double the program's start.
std::uint64_t hash(std::uint64_t state, std::string_view text) {
  for (const char c : text) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001B3U;
  }
  return state ^ (state >> 29U);
}

}  // namespace

std::string derived_uuid(std::string_view first, std::string_view second) {
  // The length of the first text comes first, so that its end is part of what is hashed.
  const std::string input = fmt::format("{}:{}{}", first.size(), first, second);
  const std::uint64_t high = hash(0xCBF29CE484222325U, input);
  const std::uint64_t low = hash(hash(0x9E3779B97F4A7C15U, input), first);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:x}{:03x}-{:012x}", high >> 32U,
                     (high >> 16U) & 0xFFFFU, high & 0xFFFU, 8U | ((low >> 60U) & 3U),
                     (low >> 48U) & 0xFFFU, low & 0xFFFFFFFFFFFFU);
}

std::string random_uuid() {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, 16> raw{};
  fill_random(raw.data(), raw.size());
  raw[6] = static_cast<unsigned char>((raw[6] & 0x0FU) | 0x40U);
  raw[8] = static_cast<unsigned char>((raw[8] & 0x3FU) | 0x80U);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += digits[raw[i] >> 4U];
    out += digits[raw[i] & 15U];
  }
  return out;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace molecule
