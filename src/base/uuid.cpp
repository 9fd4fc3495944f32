#include "base/uuid.hpp"

#include <array>
#include <cctype>
#include <cstddef>
#include <utility>

#include "base/random.hpp"
#include "base/text/text.hpp"

namespace molecule {

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
