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

/// Hints about a tool's behaviour (ToolAnnotations, since 2025-03-26). Unset hints are not sent.
struct Annotations {
  std::optional<bool> read_only;
  std::optional<bool> destructive;
  std::optional<bool> idempotent;
  std::optional<bool> open_world;
};

/// The result of a tool call: a text block, followed by the blocks in `content`.
struct ToolResult {
  /// If empty and `content` is not, no text block is sent.
  std::string text = {};
  /// Reports a failure to the agent. To the host the request still succeeds.
  bool is_error = false;
  std::vector<Content> content = {};
  /// `structuredContent`: the text of a JSON object (since 2025-06-18). If `text` and `content`
  /// are both empty, it is sent as the text block too. If it is empty and the tool has an output
  /// schema and succeeded, `text` must be the JSON object.
  std::string structured = {};
  /// If set, everything above is ignored and the handler runs again with the answers.
  std::optional<InputNeeded> input = std::nullopt;
};

/// One request in flight (`tools/call`, `resources/read`, `prompts/get`, `completion/complete`).
/// Valid until its handler ends; the views it returns live as long.
class Call {
 public:
  virtual ~Call() = default;
  /// A JSON object, empty if the request had none:
  /// - `tools/call`, `prompts/get`: the arguments;
  /// - `resources/read` through a template: the template's variables, as strings;
  /// - `completion/complete`: the arguments that the user has already filled in.
  virtual json::Value arguments() const = 0;
  /// The string at `_meta[key]` of the request, for example `claudecode/toolUseId`. Nothing if it
  /// is absent or not a string.
  virtual std::optional<std::string_view> meta(std::string_view key) const = 0;
  /// Sends `notifications/progress` if the caller supplied a progress token. Values that do not
  /// increase are dropped, as is everything while the output queue is full.
  virtual void progress(double progress, std::optional<double> total, std::string_view message) = 0;
  /// Sends `notifications/message` with `text` as its `data`, if the host wants that level: the one
  /// set by `logging/setLevel`, or in 2026-07-28 the one in this request's `_meta`.
  virtual void log(LogLevel level, std::string_view logger, std::string_view text) = 0;
  /// True if the host declared the capability `elicitation`, `sampling` or `roots`. An
  /// `InputRequest` that needs an undeclared one ends the call with -32021.
  virtual bool host_can(std::string_view capability) const = 0;
  /// The host's answer (a JSON object) to the `InputRequest` named `key`. Absent in the first round
  /// and if the host left it out; ask again then. Answers to unknown keys are ignored.
  virtual json::Value input(std::string_view key) const = 0;
  /// `InputNeeded::state` from the previous round; empty in the first one.
  virtual std::string_view state() const = 0;
  /// True once the host has cancelled the call, or its session ends. It may be so some turns of the
  /// loop before the handler's await throws.
  virtual bool cancelled() const = 0;
};

/// One entry of `tools/list`.
struct Tool {
  /// Unique within the server.
  std::string name;
  std::string title;
  std::string description;
  /// A JSON Schema: the text of a JSON object.
  std::string input_schema;
  /// A JSON Schema, or empty.
  std::string output_schema;
  /// Results that succeed are JSON and come as structured content too, also without a schema.
  bool structured = false;
  Annotations annotations;
  /// `_meta`: the text of a JSON object, or empty.
  std::string meta;
  /// Answers `tools/call`. Runs as a task of its own, beside other calls.
  /// `notifications/cancelled` and the end of the session cancel it: the current await throws
  /// `asio::error::operation_aborted` and no answer is sent. Any other exception that escapes ends
  /// the call with -32603.
  std::function<awaitable<ToolResult>(Call& call)> handler;
};

}  // namespace molecule::mcp
