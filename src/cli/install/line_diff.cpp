#include "cli/install/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace molecule::cli {

namespace {

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Edit {
  char sign;
  std::string_view line;
};

/// The middles, which differ at both ends, by their longest common part. Long ones are shown as
/// removed and added as a whole.
void compare(const Lines& a, const Lines& b, std::vector<Edit>& edits) {
  constexpr std::size_t max_cells = 4'000'000;
  const std::size_t columns = b.size() + 1;
  const bool large = (a.size() + 1) * columns > max_cells;
  std::vector<std::size_t> common(large ? 1 : (a.size() + 1) * columns, 0);
  const auto cell = [&common, columns](std::size_t i, std::size_t j) -> std::size_t& {
    return common[i * columns + j];
  };
  for (std::size_t i = large ? 0 : a.size(); i > 0; --i) {
    for (std::size_t j = b.size(); j > 0; --j) {
      cell(i - 1, j - 1) =
          a[i - 1] == b[j - 1] ? cell(i, j) + 1 : std::max(cell(i, j - 1), cell(i - 1, j));
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (!large && i < a.size() && j < b.size() && a[i] == b[j]) {
      edits.push_back({' ', a[i++]});
      ++j;
    } else if (j == b.size() || (i < a.size() && (large || cell(i + 1, j) >= cell(i, j + 1)))) {
      edits.push_back({'-', a[i++]});
    } else {
      edits.push_back({'+', b[j++]});
    }
  }
}

}  // namespace

std::string line_diff(std::string_view path, std::string_view before, std::string_view after) {
  if (before == after) return {};
  constexpr std::size_t around = 3;
  Lines a = lines_of(before);
  Lines b = lines_of(after);
  std::size_t same = 0;
  while (same < a.size() && same < b.size() && a[same] == b[same]) ++same;
  std::size_t same_end = 0;
  while (same_end < a.size() - same && same_end < b.size() - same &&
         a[a.size() - 1 - same_end] == b[b.size() - 1 - same_end]) {
    ++same_end;
  }
  std::vector<Edit> edits;
  const std::size_t first = same - std::min(same, around);
  for (std::size_t i = first; i < same; ++i) edits.push_back({' ', a[i]});
  const auto middle = [same, same_end](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(same),
                 lines.end() - static_cast<std::ptrdiff_t>(same_end));
  };
  compare(middle(a), middle(b), edits);
  const std::size_t after_end = std::min(same_end, around);
  for (std::size_t i = a.size() - same_end; i < a.size() - same_end + after_end; ++i) {
    edits.push_back({' ', a[i]});
  }
  const auto count = [&edits](char sign) {
    return std::ranges::count_if(edits,
                                 [sign](const Edit& e) { return e.sign == ' ' || e.sign == sign; });
  };
  std::string out = fmt::format("--- {}\n+++ {}\n@@ -{},{} +{},{} @@\n", path, path, first + 1,
                                count('-'), first + 1, count('+'));
  for (const Edit& edit : edits) out += fmt::format("{}{}\n", edit.sign, edit.line);
  return out;
}

}  // namespace molecule::cli
