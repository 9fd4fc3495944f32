#pragma once

#include <string_view>

namespace molecule::text {

/// Some editors begin a file with a byte order mark, which nobody sees: the text after it.
constexpr std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  return text.starts_with(mark) ? text.substr(mark.size()) : text;
}

}  // namespace molecule::text
