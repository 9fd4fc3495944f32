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

/// What was read.
struct ReadResult {
  /// None: there is no such resource (-32002, in 2026-07-28 -32602).
  std::vector<ResourceContents> contents = {};
  /// Needed first, as in `ToolResult`.
  std::optional<InputNeeded> input = std::nullopt;
};

/// Answers `completion/complete` for one argument of which `value` is typed so far.
using Completer = std::function<awaitable<Completion>(Call& call, std::string value)>;

/// One entry of `resources/list`. `read` runs as a task of its own, like a tool's handler.
struct Resource {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  /// How long the contents may be kept.
  Cache cache = {};
  std::function<awaitable<ReadResult>(Call& call)> read;
};

/// One entry of `resources/templates/list`: a family of resources. `uri` holds variables, e.g.
/// `molecule://inbox/{activity_id}` (RFC 6570, level 1): each stands for one or more characters
/// other than `/?#`, and is percent-decoded. A resource of the same URI goes first.
struct ResourceTemplate {
  std::string uri;
  std::string name;
  std::string title = {};
  std::string description = {};
  std::string mime_type = {};
  Cache cache = {};
  /// `call.arguments()` holds the variables.
  std::function<awaitable<ReadResult>(Call& call)> read;
  /// By the variable's name; variables without one complete to nothing.
  std::map<std::string, Completer> completers = {};
};

}  // namespace molecule::mcp
