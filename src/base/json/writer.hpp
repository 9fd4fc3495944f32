#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace molecule::json {

class Object;
class Array;

/// Appends JSON to a string. Scopes close themselves:
///
///     json::Writer w;
///     {
///       auto o = w.object();
///       o.field("jsonrpc", "2.0");
///       o.raw("id", id);
///       auto list = o.array("tools");
///       list.value("x");
///     }
///     send(std::move(w).take());
///
/// Only the innermost open scope may be written to. Text that is not valid UTF-8 is written with
/// U+FFFD in place of what is wrong, so that output is always valid.
class Writer {
 public:
  Writer() = default;
  /// Continues an existing text.
  explicit Writer(std::string text) : out_(std::move(text)) {}

  Object object();
  Array array();
  std::string take() && { return std::move(out_); }
  const std::string& text() const { return out_; }

 private:
  friend class Scope;
  std::string out_;
};

/// Appends `text` to `out` as a JSON string, quotes included.
void append_string(std::string& out, std::string_view text);

/// `text` as a JSON string, quotes included.
std::string quoted(std::string_view text);

/// What objects and arrays share: the separators, the values, the closing bracket.
class Scope {
 public:
  Scope(Scope&& other) noexcept
      : out_(std::exchange(other.out_, nullptr)), close_(other.close_), first_(other.first_) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  Scope& operator=(Scope&&) = delete;
  ~Scope() {
    if (out_ != nullptr) *out_ += close_;
  }

 protected:
  Scope(std::string& out, char open, char close) : out_(&out), close_(close) { out += open; }
  Scope(Writer& writer, char open, char close) : Scope(writer.out_, open, close) {}

  void separate() {
    if (!first_) *out_ += ',';
    first_ = false;
  }
  void key(std::string_view name) {
    separate();
    append_string(*out_, name);
    *out_ += ':';
  }
  void put(std::string_view text) { append_string(*out_, text); }
  void put(const char* text) { append_string(*out_, text); }
  void put(const std::string& text) { append_string(*out_, text); }
  void put(bool value) { *out_ += value ? "true" : "false"; }
  void put(std::nullptr_t) { *out_ += "null"; }
  void put(double value);
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  void put(T value) {
    put_integer(static_cast<std::int64_t>(value));
  }
  void put_integer(std::int64_t value);
  std::string& out() { return *out_; }

 private:
  std::string* out_;
  char close_;
  bool first_ = true;
};

class Object : public Scope {
 public:
  /// Text, numbers, booleans, nullptr.
  template <class T>
  void field(std::string_view name, const T& value) {
    key(name);
    put(value);
  }
  /// The text, or null where it is empty-handed (`std::optional`-like).
  template <class Optional>
  void nullable(std::string_view name, const Optional& value) {
    key(name);
    if (value) {
      put(*value);
    } else {
      put(nullptr);
    }
  }
  /// A value that is JSON already.
  void raw(std::string_view name, std::string_view json) {
    key(name);
    out() += json;
  }
  Object object(std::string_view name);
  Array array(std::string_view name);

 private:
  friend class Writer;
  friend class Array;
  using Scope::Scope;
};

class Array : public Scope {
 public:
  template <class T>
  void value(const T& item) {
    separate();
    put(item);
  }
  void raw(std::string_view json) {
    separate();
    out() += json;
  }
  Object object();
  Array array();

 private:
  friend class Writer;
  friend class Object;
  using Scope::Scope;
};

inline Object Writer::object() {
  return Object(*this, '{', '}');
}
inline Array Writer::array() {
  return Array(*this, '[', ']');
}
inline Object Object::object(std::string_view name) {
  key(name);
  return Object(out(), '{', '}');
}
inline Array Object::array(std::string_view name) {
  key(name);
  return Array(out(), '[', ']');
}
inline Object Array::object() {
  separate();
  return Object(out(), '{', '}');
}
inline Array Array::array() {
  separate();
  return Array(out(), '[', ']');
}

}  // namespace molecule::json
