#include "cli/install/toml_edit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "base/text/text.hpp"
#include "base/toml.hpp"

namespace molecule::cli {

namespace {

using Path = std::vector<std::string>;

/// A header's line, and the path that it names.
struct Header {
  std::size_t begin;
  Path path;
};

/// The names of `a.b."c d"`.
Path names_of(std::string_view text) {
  Path names;
  std::string name;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        name += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '.') {
      names.push_back(std::exchange(name, {}));
    } else if (c != ' ' && c != '\t') {
      name += c;
    }
  }
  names.push_back(std::move(name));
  return names;
}

/// Finds headers: brackets that begin a line outside of every string, list and comment.
class HeaderScanner {
 public:
  explicit HeaderScanner(std::string_view text) : text_(text) {}

  std::vector<Header> find() {
    while (at_ < text_.size()) {
      const std::size_t line = at_;
      const std::size_t first = text_.find_first_not_of(" \t", at_);
      if (first != std::string_view::npos && text_[first] == '[') {
        header(line, first);
      }
      skip_statement();
    }
    return std::move(headers_);
  }

 private:
  void header(std::size_t line, std::size_t first) {
    const std::size_t end = std::min(text_.find('\n', first), text_.size());
    std::string_view inner = text_.substr(first + 1, end - first - 1);
    if (inner.starts_with('[')) inner.remove_prefix(1);
    char quote = '\0';
    std::size_t close = 0;
    while (close < inner.size() && (quote != '\0' || inner[close] != ']')) {
      const char c = inner[close++];
      if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = '\0';
      }
    }
    headers_.push_back({.begin = line, .path = names_of(inner.substr(0, close))});
    at_ = end;
  }

  /// Up to the line after the statement, whatever lines its strings and lists take.
  void skip_statement() {
    int depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        ++at_;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (c == '\n' && depth <= 0) return;
      }
    }
  }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool many = text_.substr(at_).starts_with(three);
    at_ += many ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        at_ += 2;
      } else if (many ? text_.substr(at_).starts_with(three) : text_[at_] == quote) {
        at_ += many ? 3 : 1;
        return;
      } else if (!many && text_[at_] == '\n') {
        return;
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Header> headers_;
};

bool is_below(const Path& path, const Path& top) {
  return path.size() >= top.size() && std::equal(top.begin(), top.end(), path.begin());
}

/// The end of a table's own lines: comments before the next header belong to that one.
std::size_t end_of_table(std::string_view text, std::size_t begin, std::size_t next) {
  std::size_t end = next;
  while (end > begin && next < text.size()) {
    const std::size_t line = text.rfind('\n', end - 2);
    const std::size_t start = line == std::string_view::npos ? 0 : line + 1;
    const std::string_view content = text::trim(text.substr(start, end - start));
    if (start <= begin || !(content.empty() || content.starts_with('#'))) break;
    end = start;
  }
  return end;
}

struct Removed {
  std::string text;
  /// Where the first of the tables was.
  std::optional<std::size_t> place;
};

/// `unwanted` is asked about each header, in order.
Removed without(std::string_view text, const std::function<bool(const Header&)>& unwanted) {
  const auto headers = HeaderScanner(text).find();
  Removed removed;
  std::size_t from = 0;
  std::vector<bool> ours;
  for (const Header& header : headers) ours.push_back(unwanted(header));
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (!ours[i]) continue;
    const std::size_t next = i + 1 < headers.size() ? headers[i + 1].begin : text.size();
    removed.text += text.substr(from, headers[i].begin - from);
    if (!removed.place) removed.place = removed.text.size();
    const bool ours_follows = i + 1 < headers.size() && ours[i + 1];
    from = ours_follows ? next : end_of_table(text, headers[i].begin, next);
  }
  removed.text += text.substr(from);
  return removed;
}

}  // namespace

std::string remove_toml_table(std::string_view text, const Path& path) {
  Removed removed =
      without(text, [&path](const Header& header) { return is_below(header.path, path); });
  // The blank line that was added before it.
  const bool at_end = removed.place && *removed.place == removed.text.size();
  if (at_end && removed.text.ends_with("\n\n")) removed.text.pop_back();
  return std::move(removed.text);
}

std::string remove_toml_items(std::string_view text, const Path& path,
                              const std::vector<std::size_t>& numbers) {
  std::size_t begun = 0;
  return without(text,
                 [&path, &numbers, &begun](const Header& header) {
                   if (header.path == path) ++begun;
                   const bool unwanted =
                       std::ranges::find(numbers, begun - 1) != numbers.end() && begun > 0;
                   return is_below(header.path, path) && unwanted;
                 })
      .text;
}

Result<std::string, std::string> set_toml_table(std::string_view text, const Path& path,
                                                std::string_view tables) {
  if (auto valid = toml_to_json(text); !valid.ok()) return Failure{std::move(valid.error())};
  Removed removed =
      without(text, [&path](const Header& header) { return is_below(header.path, path); });
  std::string result = std::move(removed.text);
  if (removed.place) {
    result.insert(*removed.place, tables);
  } else {
    if (!result.empty() && !result.ends_with('\n')) result += '\n';
    if (!result.empty()) result += '\n';
    result += tables;
  }
  if (auto valid = toml_to_json(result); !valid.ok()) {
    return Failure{
        fmt::format("it has {} in another form than as a table of its own", fmt::join(path, "."))};
  }
  return result;
}

std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace molecule::cli
