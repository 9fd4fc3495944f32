#include "base/uuid.hpp"

#include <array>
#include <cctype>
#include <cstddef>
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
