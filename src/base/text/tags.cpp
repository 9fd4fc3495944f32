#include "base/text/tags.hpp"

#include <cstdint>

#include "base/text/characters.hpp"

namespace molecule::text {

namespace {

constexpr std::uint32_t small_less_than = 0xFE64;

/// Maps full-width forms to ASCII, and letters to lower case.
std::uint32_t folded(std::uint32_t code) {
  if (code >= 0xFF01 && code <= 0xFF5E) code -= 0xFF01 - '!';
  if (code == small_less_than) code = '<';
  return code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code;
}

bool is_blank(std::uint32_t code) {
  return code == ' ' || code == '\t' || is_line_break(code) || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x202F || code == 0x205F || code == 0x3000;
}

/// True if the text after a `<` continues with `name`, possibly after blanks and slashes.
bool names(std::string_view rest, std::string_view name) {
  bool begun = false;
  while (!name.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = rest.empty() ? 0 : decode(rest, code);
    if (length == 0) return false;
    rest.remove_prefix(length);
    code = folded(code);
    const bool control = is_control(code) && !is_line_break(code) && code != '\t';
    if (control || is_invisible(code)) continue;
    if (!begun && (code == '/' || is_blank(code))) continue;
    if (code != static_cast<unsigned char>(name.front())) return false;
    begun = true;
    name.remove_prefix(1);
  }
  return true;
}

}  // namespace

std::string without_tags(std::string_view text, std::string_view name) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    // No other byte begins a character that reads as `<`.
    if (text[at] != '<' && text[at] != '\xEF') {
      out += text[at++];
      continue;
    }
    std::uint32_t code = 0;
    const std::size_t length = decode(text.substr(at), code);
    const std::string_view bytes = text.substr(at, length == 0 ? 1 : length);
    at += bytes.size();
    const bool tag = length > 0 && folded(code) == '<' && names(text.substr(at), name);
    out += tag ? std::string_view("&lt;") : bytes;
  }
  return out;
}

}  // namespace molecule::text
