#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async/asio.hpp"
#include "molecule/mcp/content.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

/// The result of reading a resource.
struct ReadResult {
  /// Empty means that the resource does not exist (-32002; in 2026-07-28 -32602).
  std::vector<ResourceContents> contents = {};
  /// If set, the rest is ignored and `read` runs again with the answers, as in `ToolResult`.
  std::optional<InputNeeded> input = std::nullopt;
};

/// Answers `completion/complete` for one argument; `value` is what the user has typed so far. Runs
/// as a task of its own and is cancelled like `Tool::handler`.
using Completer = std::function<awaitable<Completion>(Call& call, std::string value)>;

/// One entry of `resources/list`.
struct Resource {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  /// How long the host may cache the contents.
  Cache cache = {};
  /// Answers `resources/read`. Runs as a task of its own and is cancelled like `Tool::handler`.
  std::function<awaitable<ReadResult>(Call& call)> read;
};

/// One entry of `resources/templates/list`: a family of resources. `uri` is a URI template (RFC
/// 6570, level 1) such as `molecule://inbox/{activity_id}`. A variable matches one or more
/// characters other than `/?#`, and its value is percent-decoded. A `Resource` with the same URI
/// takes precedence.
struct ResourceTemplate {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  /// How long the host may cache the contents.
  Cache cache = {};
  /// As `Resource::read`; `call.arguments()` holds the values of the variables, as strings.
  std::function<awaitable<ReadResult>(Call& call)> read;
  /// Keyed by variable name. A variable without a completer gets no suggestions.
  std::map<std::string, Completer> completers = {};
};

}  // namespace molecule::mcp
