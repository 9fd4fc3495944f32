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

/// A string, or the text of another scalar.
std::optional<std::string> scalar_text(const json::Value& value) {
  if (const auto text = value.string()) return std::string(*text);
  if (!has_value(value) || value.is_array() || value.is_object()) return std::nullopt;
  return value.dump();
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
  if (auto text = scalar_text(value)) return std::move(*text);
  if (value.is_null()) return {};
  reject(name, has_value(value) ? "must be a string" : "is required");
  return {};
}

std::string Arguments::text(std::string_view name) {
  const json::Value value = arguments_[name];
  const bool blank = is_blank(value);
  if (!blank && !value.is_null()) return string(name);
  reject(name, blank ? "must not be empty" : "is required");
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
  const std::string word = text::lower(text::trim(scalar_text(value).value_or("")));
  if (word == "true" || word == "yes" || word == "1") return true;
  if (word == "false" || word == "no" || word == "0") return false;
  reject(name, "must be true or false");
  return fallback;
}

std::vector<std::string> Arguments::strings(std::string_view name) {
  const json::Value given = arguments_[name];
  const json::Value value = unwrapped(name);
  if (!has_value(value)) return {};
  if (!value.is_array()) {
    // Not what the string contains: a path may look like a number.
    if (const auto only = given.string(); only && !value.is_object()) return {std::string(*only)};
    reject(name, "must be an array of strings");
    return {};
  }
  std::vector<std::string> result;
  for (const json::Value& item : value.items()) {
    if (auto text = item.string()) {
      result.emplace_back(*text);
    } else {
      reject(name, "must be an array of strings");
      return {};
    }
  }
  return result;
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
