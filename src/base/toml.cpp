#include "base/toml.hpp"

#include <fmt/format.h>

#include <cmath>
#include <sstream>
#include <utility>

// The only file that knows toml++, whose templates cost seconds.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include "base/json/writer.hpp"
#include "base/text/text.hpp"

namespace molecule {

namespace {

/// Deeper than any configuration of ours; the writer recurses.
constexpr int max_depth = 32;

void append(std::string& out, const toml::node& node, int depth);

template <class Date>
std::string date_text(const Date& date) {
  std::ostringstream text;
  text << date;
  return text.str();
}

void append_table(std::string& out, const toml::table& table, int depth) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : table) {
    if (!std::exchange(first, false)) out += ',';
    json::append_string(out, key.str());
    out += ':';
    append(out, value, depth + 1);
  }
  out += '}';
}

void append_array(std::string& out, const toml::array& array, int depth) {
  out += '[';
  bool first = true;
  for (const toml::node& item : array) {
    if (!std::exchange(first, false)) out += ',';
    append(out, item, depth + 1);
  }
  out += ']';
}

void append(std::string& out, const toml::node& node, int depth) {
  if (depth > max_depth) {
    out += "null";
  } else if (const toml::table* table = node.as_table()) {
    append_table(out, *table, depth);
  } else if (const toml::array* array = node.as_array()) {
    append_array(out, *array, depth);
  } else if (const auto* text = node.as_string()) {
    json::append_string(out, text->get());
  } else if (const auto* integer = node.as_integer()) {
    out += std::to_string(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    // JSON has no word for infinity.
    out += std::isfinite(number->get()) ? fmt::format("{}", number->get()) : "null";
  } else if (const auto* boolean = node.as_boolean()) {
    out += boolean->get() ? "true" : "false";
  } else if (const auto* date = node.as_date()) {
    json::append_string(out, date_text(date->get()));
  } else if (const auto* time = node.as_time()) {
    json::append_string(out, date_text(time->get()));
  } else if (const auto* date_time = node.as_date_time()) {
    json::append_string(out, date_text(date_time->get()));
  }
}

}  // namespace

Result<std::string, std::string> toml_to_json(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return Failure{fmt::format("line {}, column {}: {}", error.source().begin.line,
                               error.source().begin.column, text::one_line(error.description()))};
  }
  std::string json;
  append_table(json, parsed.table(), 0);
  return json;
}

}  // namespace molecule
