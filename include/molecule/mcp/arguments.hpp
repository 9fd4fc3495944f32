#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// Reads a call's arguments and remembers all that is wrong with them, so that the agent learns
/// of everything at once (mcp-protocol.md 3: a result with `isError` that names the argument):
///
///     Arguments arguments(call.arguments());
///     const std::string task = arguments.text("task");
///     const std::int64_t limit = arguments.integer("limit", 10, 1, 100);
///     if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
///
/// After an error the values read are placeholders. An optional argument that is null counts as
/// absent (hosts send it so); arguments nobody reads are ignored.
class Arguments {
 public:
  /// A view: used before the call ends.
  explicit Arguments(json::Value arguments) : arguments_(arguments) {}

  /// Required; it may be empty.
  std::string string(std::string_view name);
  /// Required; something other than white space must be in it.
  std::string text(std::string_view name);
  /// Optional.
  std::string string_or(std::string_view name, std::string_view otherwise);
  /// Optional; what lies outside of [least, most] is clamped. 5.0 is a whole number to a model.
  std::int64_t integer(std::string_view name, std::int64_t otherwise, std::int64_t least,
                       std::int64_t most);
  /// Optional; clamped like `integer`.
  double number(std::string_view name, double otherwise, double least, double most);
  /// Optional array of strings; empty where absent.
  std::vector<std::string> strings(std::string_view name);

  /// Adds an error of the tool's own, e.g. `reject("workspace_id", "must be a UUID")`.
  void reject(std::string_view name, std::string_view problem);
  /// The result to answer with, where anything was wrong so far.
  std::optional<ToolResult> rejection() const;

 private:
  json::Value arguments_;
  std::string problems_;
};

}  // namespace molecule::mcp
