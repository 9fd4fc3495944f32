#include "base/json/sanitized.hpp"

#include <utility>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule::json {

namespace {

/// The depth is limited by the parser.
void append(std::string& out, Value value) {
  if (const auto string = value.string()) {
    append_string(out, text::sanitize(*string));
  } else if (value.is_array()) {
    const char* separator = "[";
    const std::vector<Value> items = value.items();
    for (const Value item : items) {
      out += std::exchange(separator, ",");
      append(out, item);
    }
    out += items.empty() ? "[]" : "]";
  } else if (value.is_object()) {
    const char* separator = "{";
    const auto members = value.members();
    for (const auto& [name, member] : members) {
      out += std::exchange(separator, ",");
      append_string(out, text::sanitize(name));
      out += ':';
      append(out, member);
    }
    out += members.empty() ? "{}" : "}";
  } else {
    out += value.dump();
  }
}

}  // namespace

std::string dump_sanitized(Value value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace molecule::json
