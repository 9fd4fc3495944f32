#include "base/uuid.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/random.hpp"
#include "base/text/text.hpp"

namespace molecule {

namespace {

using Bytes = std::array<unsigned char, 16>;

Bytes random_bytes() {
  Bytes raw{};
  fill_random(raw.data(), raw.size());
  return raw;
}

std::string as_text(Bytes raw, unsigned version) {
  static constexpr std::string_view digits = "0123456789abcdef";
  raw[6] = static_cast<unsigned char>((raw[6] & 0x0FU) | (version << 4U));
  raw[8] = static_cast<unsigned char>((raw[8] & 0x3FU) | 0x80U);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += digits[raw[i] >> 4U];
    out += digits[raw[i] & 15U];
  }
  return out;
}

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

std::string random_uuid() {
  return as_text(random_bytes(), 4);
}

std::string ordered_uuid(std::int64_t micros) {
  Bytes raw = random_bytes();
  const auto millis = static_cast<std::uint64_t>(micros / 1000);
  for (std::size_t i = 0; i < 6; ++i) {
    raw[i] = static_cast<unsigned char>(millis >> (8 * (5 - i)));
  }
  // The 12 bits after the version continue the time: a quarter of a microsecond each.
  const auto fraction = static_cast<unsigned>(micros % 1000) * 4 + (raw[7] & 3U);
  raw[6] = static_cast<unsigned char>(fraction >> 8U);
  raw[7] = static_cast<unsigned char>(fraction);
  return as_text(raw, 7);
}

std::string derived_uuid(std::string_view first, std::string_view second) {
  // The length of the first text comes first, so that its end is part of what is hashed.
  const std::string input = fmt::format("{}:{}{}", first.size(), first, second);
  const std::uint64_t high = hash(0xCBF29CE484222325U, input);
  const std::uint64_t low = hash(hash(0x9E3779B97F4A7C15U, input), first);
  return fmt::format("{:08x}-{:04x}-8{:03x}-{:x}{:03x}-{:012x}", high >> 32U,
                     (high >> 16U) & 0xFFFFU, high & 0xFFFU, 8U | ((low >> 60U) & 3U),
                     (low >> 48U) & 0xFFFU, low & 0xFFFFFFFFFFFFU);
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

std::optional<std::string> read_uuid(std::string_view text) {
  std::string id = text::lower(text::trim(text));
  if (id.starts_with("urn:uuid:")) id.erase(0, 9);
  if (id.starts_with('{') && id.ends_with('}')) id = id.substr(1, id.size() - 2);
  if (id.size() == 32) {
    for (const std::size_t at : {20U, 16U, 12U, 8U}) id.insert(at, 1, '-');
  }
  return is_uuid(id) ? std::optional(std::move(id)) : std::nullopt;
}

}  // namespace molecule
