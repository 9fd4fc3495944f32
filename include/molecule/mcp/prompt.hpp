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

/// The result of a prompt: the messages to insert into the conversation.
struct PromptResult {
  std::string description = {};
  std::vector<PromptMessage> messages = {};
  /// If set, the rest is ignored and `get` runs again with the answers, as in `ToolResult`.
  std::optional<InputNeeded> input = std::nullopt;
};

struct PromptArgument {
  std::string name;
  std::string title = {};
  std::string description = {};
  /// A request without a required argument fails with -32602.
  bool required = false;
  /// Suggests values; leave it empty if there are none to suggest.
  Completer complete = {};
};

/// One entry of `prompts/list`.
struct Prompt {
  std::string name;
  std::string title = {};
  std::string description = {};
  std::vector<PromptArgument> arguments = {};
  /// Answers `prompts/get`. Runs as a task of its own and is cancelled like `Tool::handler`. Every
  /// argument in `call.arguments()` is a string; the required ones are present.
  std::function<awaitable<PromptResult>(Call& call)> get;
};

}  // namespace molecule::mcp
