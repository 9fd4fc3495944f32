#include "molecule/mcp/arguments.hpp"

#include <algorithm>
#include <cmath>

#include "base/text/text.hpp"

namespace molecule::mcp {

namespace {

bool given(const json::Value& value) {
  return value.present() && !value.is_null();
}

}  // namespace

std::string Arguments::string(std::string_view name) {
  const json::Value value = arguments_[name];
  if (const auto text = value.string()) return std::string(*text);
  reject(name, given(value) ? "must be a string" : "is required");
  return {};
}

std::string Arguments::text(std::string_view name) {
  const json::Value value = arguments_[name];
  if (value.is_string() && text::trim(value.string_or({})).empty()) {
    reject(name, "must not be empty");
    return {};
  }
  return string(name);
}

std::string Arguments::string_or(std::string_view name, std::string_view otherwise) {
  return given(arguments_[name]) ? string(name) : std::string(otherwise);
}

std::int64_t Arguments::integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) {
  const json::Value value = arguments_[name];
  if (!given(value)) return otherwise;
  if (const auto whole = value.integer()) return std::clamp(*whole, least, most);
  const auto number = value.number();
  if (!number || std::trunc(*number) != *number) {
    reject(name, "must be a whole number");
    return otherwise;
  }
  // Compared as doubles first: a huge one must not be cast.
  if (*number <= static_cast<double>(least)) return least;
  if (*number >= static_cast<double>(most)) return most;
  return static_cast<std::int64_t>(*number);
}

double Arguments::number(std::string_view name, double otherwise, double least, double most) {
  const json::Value value = arguments_[name];
  if (!given(value)) return otherwise;
  if (const auto number = value.number()) return std::clamp(*number, least, most);
  reject(name, "must be a number");
  return otherwise;
}

std::vector<std::string> Arguments::strings(std::string_view name) {
  std::vector<std::string> result;
  const json::Value value = arguments_[name];
  if (!given(value)) return result;
  bool right = value.is_array();
  for (const json::Value& item : value.items()) {
    right = right && item.is_string();
    result.emplace_back(item.string_or({}));
  }
  if (right) return result;
  reject(name, "must be an array of strings");
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
