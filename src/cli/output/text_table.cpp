#include "cli/output/text_table.hpp"

#include <algorithm>
#include <utility>

#include "base/text/text.hpp"
#include "cli/output/terminal.hpp"

namespace molecule::cli {

namespace {

constexpr std::size_t gap = 2;
/// A long name must not push the last column off the terminal.
constexpr std::size_t max_cell = 36;
constexpr std::size_t min_last = 10;

}  // namespace

TextTable::TextTable(std::vector<std::string> headings) {
  rows_.push_back(std::move(headings));
}

void TextTable::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = text::one_line(cell);
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
  const std::size_t last = rows_.front().size() - 1;
  std::vector<std::size_t> widths(last + 1, 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i <= last; ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  std::size_t left = terminal_columns();
  for (std::size_t i = 0; i < last; ++i) {
    widths[i] = std::min(widths[i], max_cell);
    left -= std::min(left, widths[i] + gap);
  }
  const bool coloured = wants_colour();
  std::string out;
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    std::string line;
    for (std::size_t i = 0; i < last; ++i) {
      const std::string cell = fit(rows_[at][i], widths[i]);
      line += cell + std::string(widths[i] - display_width(cell) + gap, ' ');
    }
    line += fit(rows_[at][last], std::max(left, min_last));
    line.erase(line.find_last_not_of(' ') + 1);
    out += at == 0 && coloured ? "\x1B[1m" + line + "\x1B[0m\n" : line + '\n';
  }
  return out;
}

}  // namespace molecule::cli
