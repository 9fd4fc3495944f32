#pragma once

#include <string>
#include <vector>

namespace molecule::cli {

/// Rows of cells under headings, aligned, and cut to the terminal: the last column takes what is
/// left. Cells are put on one line and made safe for a terminal.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings);

  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.size() == 1; }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace molecule::cli
