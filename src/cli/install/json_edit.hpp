#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/install/json_scan.hpp"

namespace molecule::cli {

/// Edits a JSON file that people write too: whatever is not changed stays byte for byte, comments
/// included. Made from the whole text, which must be an object; an empty text counts as one.
class JsonEdit {
 public:
  using Path = std::vector<std::string>;

  /// The error is for people: where the text is wrong.
  static Result<JsonEdit, std::string> parse(std::string text, JsonDialect dialect);

  const std::string& text() const { return text_; }
  /// The value at `path` as compact JSON without comments; none if there is none.
  std::optional<std::string> get(const Path& path) const;
  /// Sets a member; missing objects on the way are made. False if something on the way is no
  /// object.
  bool set(const Path& path, std::string_view json);
  /// Appends to an array, which is made if missing. False if something else is there.
  bool append(const Path& path, std::string_view json);
  /// Removes a member, if it is there.
  void remove(const Path& path);
  /// Removes the elements of an array that `unwanted` accepts, given each as compact JSON.
  void remove_items(const Path& path, const std::function<bool(const std::string&)>& unwanted);

 private:
  JsonEdit(std::string text, JsonDialect dialect) : text_(std::move(text)), dialect_(dialect) {}

  JsonNode tree() const;
  void splice(std::size_t begin, std::size_t end, std::string_view replacement);
  std::string unit() const;
  std::string indent_of(std::size_t at) const;
  void insert(const JsonNode& container, std::string_view key, std::string_view json);
  void cut(const JsonNode& container, std::size_t index);

  std::string text_;
  JsonDialect dialect_;
};

}  // namespace molecule::cli
