#include "cli/commands/command.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace molecule::cli {

namespace {

/// Levenshtein's distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string_view Option::long_name() const {
  const std::size_t comma = names.find(',');
  return comma == std::string_view::npos ? names : names.substr(comma + 1);
}

std::string Arguments::value(std::string_view name, std::string_view otherwise) const {
  const auto found = given_.find(name);
  return std::string(found == given_.end() ? otherwise : std::string_view(found->second.back()));
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  const auto found = given_.find(name);
  return found == given_.end() ? std::vector<std::string>() : found->second;
}

void Arguments::add(std::string_view name, std::string value) {
  given_[std::string(name)].push_back(std::move(value));
}

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found = std::ranges::find(all, name, &Command::name);
  return found == all.end() ? nullptr : &*found;
}

std::vector<const Command*> commands_below(std::string_view word) {
  std::vector<const Command*> found;
  for (const Command& command : commands()) {
    const bool below = command.name.size() > word.size() && command.name.starts_with(word) &&
                       command.name[word.size()] == ' ';
    if (below) found.push_back(&command);
  }
  return found;
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> words) {
  // A long mistake is not worth comparing, and no word of ours is that long.
  if (word.size() > 40) return {};
  std::string_view best;
  std::size_t least = 3;
  for (const std::string_view candidate : words) {
    const std::size_t far = distance(word, candidate);
    // Of short words, more than half must be right.
    if (far < least && far * 2 <= std::max(word.size(), candidate.size())) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

}  // namespace molecule::cli
