#include "cli/output/short_ids.hpp"

#include <algorithm>

namespace molecule::cli {

std::size_t short_id_length(std::vector<std::string> ids) {
  std::size_t length = 8;
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (std::size_t i = 1; i < ids.size(); ++i) {
    const auto [end, ignored] = std::ranges::mismatch(ids[i - 1], ids[i]);
    length = std::max(length, static_cast<std::size_t>(end - ids[i - 1].begin()) + 1);
  }
  return length;
}

}  // namespace molecule::cli
