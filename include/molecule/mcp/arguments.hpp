#pragma once

#include <cstdint>
#include <deque>
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
/// A getter that finds a problem records it and returns a placeholder. What models and hosts write
/// in place of a value is taken as what it plainly means: null and, except for text, an empty
/// string count as absent; a number, a truth value, a list or an object may be written as a string.
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
  /// An optional truth value; `fallback` if absent. Also "yes", "no", 1 and 0.
  bool boolean(std::string_view name, bool fallback);
  /// An optional array of strings; empty if absent.
  std::vector<std::string> strings(std::string_view name);
  /// A required object, valid as long as this.
  json::Value object(std::string_view name);

  /// Records a problem found by the tool itself: `reject("workspace_id", "must be a UUID")`.
  void reject(std::string_view name, std::string_view problem);
  /// The error result that lists every problem recorded so far, or nothing if there is none.
  std::optional<ToolResult> rejection() const;

 private:
  /// The argument, unwrapped if it is a string that contains JSON of another type; absent if it is
  /// null or a blank string.
  json::Value unwrapped(std::string_view name);

  json::Value arguments_;
  /// Own what strings contained.
  std::deque<json::Document> documents_;
  std::string problems_;
};

}  // namespace molecule::mcp
