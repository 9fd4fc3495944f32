#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace molecule::json {

/// Why a text was rejected; `message` is for people and never quotes the text.
struct ParseError {
  std::string message;
};

enum class Type { absent, null, boolean, integer, number, string, array, object };

/// A view of one value inside a `Document`, valid as long as that document. A key that does not
/// exist gives an absent value, on which everything below is safe and finds nothing, so that
/// outside input is read without a check at every step: `v["params"]["name"].string()`.
class Value {
 public:
  Value() = default;

  Type type() const;
  bool present() const { return present_; }
  bool is_null() const { return type() == Type::null; }
  bool is_object() const { return type() == Type::object; }
  bool is_array() const { return type() == Type::array; }
  bool is_string() const { return type() == Type::string; }

  /// The member `key` of an object; the first one if the key is repeated.
  Value operator[](std::string_view key) const;

  std::optional<std::string_view> string() const;
  /// The string, or `otherwise` if this is not a string.
  std::string_view string_or(std::string_view otherwise) const;
  /// An integer of 64 bits. 1.0 is not an integer, as in the platform's API.
  std::optional<std::int64_t> integer() const;
  /// Any number.
  std::optional<double> number() const;
  std::optional<bool> boolean() const;

  /// The elements of an array; empty for anything else.
  std::vector<Value> items() const;
  /// The members of an object in their order; empty for anything else.
  std::vector<std::pair<std::string_view, Value>> members() const;

  /// This value as minified JSON, always one line of valid UTF-8; "null" for an absent value.
  std::string dump() const;

 private:
  friend class Document;
  friend struct Access;
  alignas(8) std::array<std::byte, 16> storage_{};
  bool present_ = false;
};

/// A parsed text, which owns everything its values view.
class Document {
 public:
  Document();
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;

  /// How the bytes behind the text may be treated.
  enum class Padding {
    none,    ///< nothing is known: the text is copied first
    present  ///< 64 readable bytes follow the text, so that it is parsed in place
  };

  /// Parses a whole text (one value, nothing after it), replacing what was here. Validates UTF-8.
  /// Lone surrogate escapes become U+FFFD, an integer beyond 64 bits the nearest double. Nesting
  /// beyond 1,024 levels is an error, and so is a number beyond a double.
  Result<Value, ParseError> parse(std::string_view text, Padding padding = Padding::none);

  Value root() const { return root_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  Value root_;
};

/// The exact spelling of the top-level member `key` in the object `text` (already known to be
/// valid JSON), white space trimmed: for ids, which are echoed as they came (JSON-RPC 2.0, 5).
/// Of a key that the text repeats, the first, as `Value::operator[]`. The result views `text`.
std::optional<std::string_view> raw_member(std::string_view text, std::string_view key);

}  // namespace molecule::json
