#include "base/json/sanitized.hpp"

#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::json {

namespace {

std::string cut(std::string text, std::size_t max) {
  if (text.size() <= max) return text;
  return std::string(text::prefix_bytes(text, max)) + "… [cut]";
}

/// The depth is limited by the parser.
void append(std::string& out, Value value, std::size_t max_string) {
  if (const auto string = value.string()) {
    append_string(out, cut(text::sanitize(*string), max_string));
  } else if (value.is_array()) {
    const char* separator = "[";
    const std::vector<Value> items = value.items();
    for (const Value item : items) {
      out += std::exchange(separator, ",");
      append(out, item, max_string);
    }
    out += items.empty() ? "[]" : "]";
  } else if (value.is_object()) {
    const char* separator = "{";
    const auto members = value.members();
    for (const auto& [name, member] : members) {
      out += std::exchange(separator, ",");
      append_string(out, text::sanitize(name));
      out += ':';
      append(out, member, max_string);
    }
    out += members.empty() ? "{}" : "}";
  } else {
    out += value.dump();
  }
}

}  // namespace

std::string dump_sanitized(Value value, std::size_t max_string) {
  std::string out;
  append(out, value, max_string);
  return out;
}

}  // namespace molecule::json
