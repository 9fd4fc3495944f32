#include "molecule/mcp/arguments.hpp"

#include <algorithm>
#include <cmath>

#include "base/text/text.hpp"

namespace molecule::mcp {

namespace {

bool has_value(const json::Value& value) {
  return value.present() && !value.is_null();
}

bool is_blank(const json::Value& value) {
  return value.is_string() && text::trim(value.string_or({})).empty();
}

}  // namespace

json::Value Arguments::unwrapped(std::string_view name) {
  const json::Value value = arguments_[name];
  if (!has_value(value) || is_blank(value)) return {};
  const auto written = value.string();
  if (!written) return value;
  json::Document& document = documents_.emplace_back();
  const auto parsed = document.parse(text::trim(*written));
  if (!parsed.ok()) return value;
  return parsed->is_null() ? json::Value() : *parsed;
}

std::string Arguments::string(std::string_view name) {
  const json::Value value = arguments_[name];
  if (const auto text = value.string()) return std::string(*text);
  reject(name, has_value(value) ? "must be a string" : "is required");
  return {};
}

std::string Arguments::text(std::string_view name) {
  if (!is_blank(arguments_[name])) return string(name);
  reject(name, "must not be empty");
  return {};
}

std::string Arguments::string_or(std::string_view name, std::string_view fallback) {
  return has_value(arguments_[name]) ? string(name) : std::string(fallback);
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t fallback, std::int64_t min,
                                std::int64_t max) {
  const json::Value value = unwrapped(name);
  if (!has_value(value)) return fallback;
  if (const auto whole = value.integer()) return std::clamp(*whole, min, max);
  const auto number = value.number();
  if (!number || std::trunc(*number) != *number) {
    reject(name, "must be a whole number");
    return fallback;
  }
  // Compare as doubles: casting a value outside the range of int64 is undefined.
  if (*number <= static_cast<double>(min)) return min;
  if (*number >= static_cast<double>(max)) return max;
  return static_cast<std::int64_t>(*number);
}

double Arguments::number(std::string_view name, double fallback, double min, double max) {
  const json::Value value = unwrapped(name);
  if (!has_value(value)) return fallback;
  if (const auto number = value.number()) return std::clamp(*number, min, max);
  reject(name, "must be a number");
  return fallback;
}

bool Arguments::boolean(std::string_view name, bool fallback) {
  const json::Value value = unwrapped(name);
  if (!has_value(value)) return fallback;
  if (const auto truth = value.boolean()) return *truth;
  const std::string word = text::lower(text::trim(value.string_or("")));
  if (word == "true" || word == "yes" || value.integer() == 1) return true;
  if (word == "false" || word == "no" || value.integer() == 0) return false;
  reject(name, "must be true or false");
  return fallback;
}

std::vector<std::string> Arguments::strings(std::string_view name) {
  std::vector<std::string> result;
  const json::Value value = unwrapped(name);
  if (!has_value(value)) return result;
  bool valid = value.is_array();
  for (const json::Value& item : value.items()) {
    valid = valid && item.is_string();
    result.emplace_back(item.string_or({}));
  }
  if (valid) return result;
  reject(name, "must be an array of strings");
  return {};
}

json::Value Arguments::object(std::string_view name) {
  const json::Value value = unwrapped(name);
  if (value.is_object()) return value;
  reject(name, has_value(value) ? "must be an object" : "is required");
  return {};
}

void Arguments::reject(std::string_view name, std::string_view problem) {
  problems_ += problems_.empty() ? "Invalid arguments: `" : "; `";
  problems_ += name;
  problems_ += "` ";
  problems_ += problem;
}

std::optional<ToolResult> Arguments::rejection() const {
  if (problems_.empty()) return std::nullopt;
  return ToolResult{.text = problems_ + ".", .is_error = true};
}

}  // namespace molecule::mcp
