#include "base/json/writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/text/text.hpp"

namespace molecule::json {

namespace {

bool needs_escape(unsigned char c) {
  return c < 0x20 || c == '"' || c == '\\';
}

/// The fast path for short ASCII without escapes, which most keys and many values are.
bool is_plain(std::string_view text) {
  if (text.size() > 64) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 || needs_escape(byte)) return false;
  }
  return true;
}

void append_escaped(std::string& out, std::string_view text) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!needs_escape(c)) continue;
    out.append(text, start, i - start);
    start = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, start, text.size() - start);
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_plain(text)) {
    out += text;
  } else if (text::valid_utf8(text)) {
    append_escaped(out, text);
  } else {
    append_escaped(out, text::repair_utf8(text));
  }
  out += '"';
}

std::string quoted(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

void Scope::put(double value) {
  // JSON has no infinities.
  if (std::isfinite(value)) {
    fmt::format_to(std::back_inserter(*out_), "{}", value);
  } else {
    *out_ += "null";
  }
}

void Scope::put_integer(std::int64_t value) {
  fmt::format_to(std::back_inserter(*out_), "{}", value);
}

}  // namespace molecule::json
