#include "base/json/limits.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <system_error>

namespace molecule::json {

namespace {

/// Half of what the parser takes: what is read is put into other values.
constexpr std::size_t max_lenient_depth = 512;
constexpr std::string_view number_characters = "0123456789+-.eE";

/// The length of the string that begins at `at`, with its quotes.
std::size_t string_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size()) - at;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

/// The length of the integer that `token` begins with, 0 if there is none: `-`, then digits without
/// a leading zero.
std::size_t integer_length(std::string_view token) {
  const std::size_t start = token.starts_with('-') ? 1 : 0;
  const std::size_t end = skip_digits(token, start);
  const bool leading_zero = end > start + 1 && token[start] == '0';
  return end == start || leading_zero ? 0 : end;
}

/// True if `rest` of a number after its integer is a fraction, an exponent, or both.
bool is_fraction_or_exponent(std::string_view rest) {
  std::size_t at = 0;
  if (rest.starts_with('.')) {
    at = skip_digits(rest, 1);
    if (at == 1) return false;
  }
  if (at == rest.size()) return true;
  if (rest[at] != 'e' && rest[at] != 'E') return false;
  ++at;
  if (at < rest.size() && (rest[at] == '+' || rest[at] == '-')) ++at;
  return at < rest.size() && skip_digits(rest, at) == rest.size();
}

template <class T>
bool fits(std::string_view token) {
  T value{};
  return std::from_chars(token.data(), token.data() + token.size(), value).ec == std::errc();
}

bool is_beyond_double(std::string_view token) {
  return std::isinf(std::strtod(std::string(token).c_str(), nullptr));
}

std::string number_within_limits(std::string_view token, bool lenient) {
  const std::size_t integer = integer_length(token);
  const std::string_view rest = token.substr(integer);
  if (integer == 0 || !(rest.empty() || is_fraction_or_exponent(rest))) return std::string(token);
  if (is_beyond_double(token)) {
    if (!lenient) return std::string(token);
    return token.starts_with('-') ? "-1.7976931348623157e308" : "1.7976931348623157e308";
  }
  const bool held = !rest.empty() || fits<std::int64_t>(token) || fits<std::uint64_t>(token);
  return std::string(token) + (held ? "" : ".0");
}

/// With `lenient` also numbers beyond a double and deep nesting are replaced.
std::string within_limits(std::string_view text, bool lenient) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t depth = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    std::size_t length = 1;
    std::string_view written;
    std::string number;
    if (c == '"') {
      length = string_length(text, at);
      written = text.substr(at, length);
    } else if (c == '-' || is_digit(c)) {
      length = std::min(text.find_first_not_of(number_characters, at), text.size()) - at;
      number = number_within_limits(text.substr(at, length), lenient);
      written = number;
    } else {
      if (c == '[' || c == '{') ++depth;
      written = text.substr(at, 1);
    }
    const bool too_deep = lenient && depth > max_lenient_depth;
    if (!too_deep) out += written;
    if (c == ']' || c == '}') {
      if (too_deep && depth == max_lenient_depth + 1) out += "null";
      if (depth > 0) --depth;
    }
    at += length;
  }
  return out;
}

}  // namespace

Result<Value, ParseError> parse_lenient(Document& document, std::string_view text) {
  auto parsed = document.parse(text);
  if (!parsed) parsed = document.parse(within_limits(text, true));
  return parsed;
}

std::string without_big_integers(std::string_view text) {
  return within_limits(text, false);
}

}  // namespace molecule::json
