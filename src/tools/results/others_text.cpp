#include "tools/results/others_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/text.hpp"

namespace molecule::tools {

std::string marked_lines(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += "  | ";
  }
  return out;
}

std::string quoted_name(std::string_view name) {
  std::string clean = text::sanitize_name(name);
  if (clean.find_first_of("()[]:,\"") == std::string::npos) return clean;
  std::ranges::replace(clean, '"', '\'');
  return fmt::format("\"{}\"", clean);
}

}  // namespace molecule::tools
