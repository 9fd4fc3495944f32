#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace molecule::cli {

/// What a host's configuration file may hold beyond JSON. Comments are understood everywhere.
struct JsonDialect {
  bool trailing_commas = false;
  /// Names without quotes, and strings in single ones.
  bool json5 = false;
};

/// A value and where it stands in the text.
struct JsonNode {
  enum class Kind { object, array, scalar };
  Kind kind = Kind::scalar;
  std::size_t begin = 0;
  std::size_t end = 0;
  /// Of an object's member: its name, and where that begins.
  std::string key = {};
  std::size_t key_begin = 0;
  std::vector<JsonNode> children = {};
  /// After the last child (a comma if there is one), or after the opening bracket.
  std::size_t tail = 0;
  bool trailing_comma = false;
};

/// The whole text as one value; the error is for people, with the line.
Result<JsonNode, std::string> scan_json(std::string_view text, JsonDialect dialect);

/// The position after blanks and comments from `at` on.
std::size_t skip_blanks(std::string_view text, std::size_t at);

/// The value as compact JSON: no blanks, no comments, names in quotes.
std::string compact_json(std::string_view text, const JsonNode& node);

/// Compact JSON on several lines; those after the first begin with `indent`.
std::string spread_json(std::string_view json, const std::string& indent, const std::string& unit);

}  // namespace molecule::cli
