#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/asio.hpp"
#include "molecule/base/json.hpp"

namespace molecule::mcp {

/// Hints for the host (MCP 2025-03-26 and later, ToolAnnotations).
struct Annotations {
  std::optional<bool> read_only;
  std::optional<bool> destructive;
  std::optional<bool> idempotent;
  std::optional<bool> open_world;
};

/// What a tool gave: one text block; `is_error` tells the agent, not the host, that it failed.
struct ToolResult {
  std::string text;
  bool is_error = false;
};

/// One `tools/call` in flight, from its handler's start to its end.
class Call {
 public:
  virtual ~Call() = default;
  /// The call's `arguments`, an object (an absent or null one is an empty object).
  virtual json::Value arguments() const = 0;
  /// The call's `_meta[key]` where it is a string, e.g. `claudecode/toolUseId`.
  virtual std::optional<std::string_view> meta(std::string_view key) const = 0;
  /// Sends `notifications/progress` where the caller gave a token; `progress` must increase.
  virtual void progress(double progress, std::optional<double> total, std::string_view message) = 0;
};

/// One entry of the tool list. `handler` runs as a task of its own; `notifications/cancelled`
/// and the session's end cancel it (it unwinds with `asio::error::operation_aborted`, and
/// nothing is answered). An exception that escapes it ends the call with -32603.
struct Tool {
  std::string name;
  std::string title;
  std::string description;
  /// JSON Schemas as JSON text; `output_schema` may be empty.
  std::string input_schema;
  std::string output_schema;
  Annotations annotations;
  /// `_meta` as a JSON object's text, or empty.
  std::string meta;
  std::function<awaitable<ToolResult>(Call& call)> handler;
};

}  // namespace molecule::mcp
