#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace molecule::server::store {

/// One value of a statement. Even a NULL has a type, as an engine with typed parameters requires.
/// Text is not copied.
struct Value {
  enum class Type { text, integer, number, boolean };

  Value(std::string_view value) : type(Type::text), text(value) {}
  Value(const std::string& value) : Value(std::string_view(value)) {}
  Value(const char* value) : Value(std::string_view(value)) {}
  Value(std::int64_t value) : type(Type::integer), integer(value) {}
  Value(int value) : Value(static_cast<std::int64_t>(value)) {}
  Value(double value) : type(Type::number), number(value) {}
  Value(bool value) : type(Type::boolean), integer(value ? 1 : 0) {}
  template <class T>
  Value(const std::optional<T>& value) : Value(value ? Value(*value) : Value(T{})) {
    is_null = !value.has_value();
  }

  Type type;
  bool is_null = false;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
};

}  // namespace molecule::server::store
