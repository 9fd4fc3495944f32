#include "cli/output/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>

#include "base/text/characters.hpp"

namespace molecule::cli {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

/// Unicode's East Asian Wide and Fullwidth blocks, and emoji, roughly: a table needs no more.
constexpr std::array<Range, 14> wide{{{0x1100, 0x115F},
                                      {0x231A, 0x231B},
                                      {0x23E9, 0x23EC},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0x33FF},
                                      {0x3400, 0x4DBF},
                                      {0x4E00, 0x9FFF},
                                      {0xA000, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
/// Marks that are drawn over the character before them.
constexpr std::array<Range, 5> combining{
    {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x1AB0, 0x1AFF}, {0x20D0, 0x20FF}, {0xFE20, 0xFE2F}}};

template <class Ranges>
bool is_in(std::uint32_t code, const Ranges& ranges) {
  return std::ranges::any_of(
      ranges, [code](const Range& range) { return code >= range.first && code <= range.last; });
}

std::size_t columns_of(std::uint32_t code) {
  if (text::is_control(code) || text::is_invisible(code) || is_in(code, combining)) return 0;
  return is_in(code, wide) ? 2 : 1;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool can_ask() {
  return ::isatty(STDIN_FILENO) == 1;
}

bool writes_to_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

bool wants_colour() {
  return writes_to_terminal() && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
}

std::size_t terminal_columns() {
  constexpr std::size_t unlimited = std::size_t{1} << 20;
  constexpr std::size_t least = 40;
  if (!writes_to_terminal()) return unlimited;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    return std::max<std::size_t>(size.ws_col, least);
  }
  const std::string named = variable("COLUMNS");
  std::size_t columns = 80;
  std::from_chars(named.data(), named.data() + named.size(), columns);
  return std::max(columns, least);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    std::uint32_t code = 0;
    const std::size_t length = std::max<std::size_t>(text::decode(text, code), 1);
    width += columns_of(code);
    text.remove_prefix(length);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::size_t width = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    std::uint32_t code = 0;
    const std::size_t length = std::max<std::size_t>(text::decode(text.substr(end), code), 1);
    width += columns_of(code);
    if (width + 1 > columns) break;
    end += length;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string wrap(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  std::size_t at = indent;
  bool first = true;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    const std::size_t width = display_width(word);
    if (!first && at + 1 + width > columns) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width;
    first = false;
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

}  // namespace molecule::cli
