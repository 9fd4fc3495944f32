#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// Reads the arguments of a tool call and collects every problem, so that the agent sees all of
/// them in one answer (mcp-protocol.md 3: a result with `isError` that names the argument):
///
///     Arguments arguments(call.arguments());
///     const std::string task = arguments.text("task");
///     const std::int64_t limit = arguments.integer("limit", 10, 1, 100);
///     if (auto wrong = arguments.rejection()) co_return std::move(*wrong);
///
/// A getter that finds a problem records it and returns a placeholder. Null counts as absent,
/// because hosts send null for optional arguments. Arguments that are never read are ignored.
class Arguments {
 public:
  /// Keeps a view of the call's JSON; do not use it after the call has ended.
  explicit Arguments(json::Value arguments) : arguments_(arguments) {}

  /// A required string, possibly empty.
  std::string string(std::string_view name);
  /// A required string with at least one character that is not white space.
  std::string text(std::string_view name);
  /// An optional string; `fallback` if absent.
  std::string string_or(std::string_view name, std::string_view fallback);
  /// An optional whole number; `fallback` if absent. Values outside [min, max] are clamped. A
  /// number with a zero fraction is accepted, because models write 5.0 for 5.
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t min,
                       std::int64_t max);
  /// An optional number; `fallback` if absent. Values outside [min, max] are clamped.
  double number(std::string_view name, double fallback, double min, double max);
  /// An optional array of strings; empty if absent.
  std::vector<std::string> strings(std::string_view name);

  /// Records a problem found by the tool itself: `reject("workspace_id", "must be a UUID")`.
  void reject(std::string_view name, std::string_view problem);
  /// The error result that lists every problem recorded so far, or nothing if there is none.
  std::optional<ToolResult> rejection() const;

 private:
  json::Value arguments_;
  std::string problems_;
};

}  // namespace molecule::mcp
