#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async/asio.hpp"
#include "molecule/mcp/content.hpp"
#include "molecule/mcp/resource.hpp"
#include "molecule/mcp/tool.hpp"

namespace molecule::mcp {

enum class Role { user, assistant };

struct PromptMessage {
  Role role = Role::user;
  Content content;
};

/// The messages that a prompt puts into the conversation.
struct PromptResult {
  std::string description = {};
  std::vector<PromptMessage> messages = {};
  /// Needed first, as in `ToolResult`.
  std::optional<InputNeeded> input = std::nullopt;
};

struct PromptArgument {
  std::string name;
  std::string title = {};
  std::string description = {};
  /// A request without it is refused (-32602).
  bool required = false;
  /// May be empty.
  Completer complete = {};
};

/// One entry of the prompt list. `get` runs as a task of its own, like a tool's handler; its
/// arguments are strings.
struct Prompt {
  std::string name;
  std::string title = {};
  std::string description = {};
  std::vector<PromptArgument> arguments = {};
  std::function<awaitable<PromptResult>(Call& call)> get;
};

}  // namespace molecule::mcp
