#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/json/reader.hpp"
#include "molecule/mcp/content.hpp"

namespace molecule::mcp {

/// Hints for the host (MCP 2025-03-26 and later, ToolAnnotations).
struct Annotations {
  std::optional<bool> read_only;
  std::optional<bool> destructive;
  std::optional<bool> idempotent;
  std::optional<bool> open_world;
};

/// What a tool gave: a text block, then the other blocks; `is_error` tells the agent, not the
/// host, that it failed.
struct ToolResult {
  /// Where empty and something else is there, no text block is sent.
  std::string text = {};
  bool is_error = false;
  std::vector<Content> content = {};
  /// `structuredContent` as a JSON object's text (2025-06-18 and later). Where it is given and
  /// there is neither text nor content, it is the text too. Where it is empty, but the tool has
  /// an output schema and did not fail, the text must be that object.
  std::string structured = {};
  /// The tool needs this first: everything above is ignored, and the tool is called again.
  std::optional<InputNeeded> input = std::nullopt;
};

/// One request in flight (`tools/call`, `resources/read`, `prompts/get`, `completion/complete`),
/// from its handler's start to its end.
class Call {
 public:
  virtual ~Call() = default;
  /// An object (an absent or null one is an empty object). `tools/call` and `prompts/get`: the
  /// arguments; `resources/read` by a template: the template's variables, as strings;
  /// `completion/complete`: the arguments that the user has chosen already.
  virtual json::Value arguments() const = 0;
  /// The call's `_meta[key]` where it is a string, e.g. `claudecode/toolUseId`.
  virtual std::optional<std::string_view> meta(std::string_view key) const = 0;
  /// Sends `notifications/progress` where the caller gave a token; `progress` must increase.
  virtual void progress(double progress, std::optional<double> total, std::string_view message) = 0;
  /// Sends `notifications/message` where the host takes that level: as `logging/setLevel` asked,
  /// or in 2026-07-28 as this request's `_meta` did. `text` becomes its `data`.
  virtual void log(LogLevel level, std::string_view logger, std::string_view text) = 0;
  /// Whether the host declared a capability: `elicitation`, `sampling` or `roots`. An input
  /// request for one that it did not declare ends the call with -32021.
  virtual bool host_can(std::string_view capability) const = 0;
  /// The host's answer (an object) to the input request `key`; absent in the first round, and
  /// where the host left it out: then ask again. Answers to nothing that was asked are ignored.
  virtual json::Value input(std::string_view key) const = 0;
  /// `InputNeeded::state` of the last round; empty in the first one.
  virtual std::string_view state() const = 0;
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
