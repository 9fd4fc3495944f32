#include "base/json/reader.hpp"

namespace molecule::json {

namespace {

/// Walks over text that is known to be valid JSON. On any other text it is safe but finds nothing.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }
  std::size_t at() const { return at_; }
  char peek() const { return done() ? '\0' : text_[at_]; }
  std::string_view since(std::size_t start) const { return text_.substr(start, at_ - start); }

  void skip_blanks() {
    while (!done() && is_blank(text_[at_])) ++at_;
  }
  /// Moves past `c` and the blanks after it.
  bool skip(char c) {
    if (peek() != c) return false;
    ++at_;
    skip_blanks();
    return true;
  }
  std::string_view skip_string() {
    const std::size_t start = at_++;
    while (true) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string_view::npos) {
        at_ = text_.size();
        return {};
      }
      std::size_t backslashes = 0;
      while (quote - backslashes > at_ && text_[quote - backslashes - 1] == '\\') ++backslashes;
      at_ = quote + 1;
      if (backslashes % 2 == 0) return since(start);
    }
  }
  std::string_view skip_value() {
    const std::size_t start = at_;
    if (peek() == '"') return skip_string();
    std::size_t depth = 0;
    while (!done()) {
      const char c = text_[at_];
      if (c == '"') {
        skip_string();
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      const bool closes = c == '}' || c == ']';
      // The end of a number or a word is the next character of its surroundings.
      if (depth == 0 && (closes || c == ',' || is_blank(c))) break;
      ++at_;
      if (closes && --depth == 0) break;
    }
    return since(start);
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// True if `quoted_key` (with its quotes) spells `key`.
bool is_key(std::string_view quoted_key, std::string_view key) {
  if (quoted_key.size() < 2) return false;
  if (quoted_key.find('\\') == std::string_view::npos) {
    return quoted_key.substr(1, quoted_key.size() - 2) == key;
  }
  Document document;
  const auto unescaped = document.parse(quoted_key);
  return unescaped && unescaped->string() == key;
}

}  // namespace

std::optional<std::string_view> raw_member(std::string_view text, std::string_view key) {
  Walker walker(text);
  walker.skip_blanks();
  if (!walker.skip('{')) return std::nullopt;
  while (walker.peek() == '"') {
    const std::string_view name = walker.skip_string();
    walker.skip_blanks();
    if (!walker.skip(':')) return std::nullopt;
    const std::string_view value = walker.skip_value();
    if (is_key(name, key)) return value;
    walker.skip_blanks();
    walker.skip(',');
  }
  return std::nullopt;
}

}  // namespace molecule::json
