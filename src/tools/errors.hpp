#pragma once

#include <string_view>

#include "molecule/mcp/tool.hpp"
#include "platform/error.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::tools {

/// The subject of a failed call: the same status means different things to the agent.
enum class About { own_workspace, peer, reply, user, files, memory, request };

/// The one place that phrases a platform's error for an agent: what failed, where, and what to do
/// next. `what` begins the text, for instance "The task was not delegated".
mcp::ToolResult failure(std::string_view what, About about, const platform::Error& error);

/// The same for an error of the inbox file.
mcp::ToolResult failure(std::string_view what, const workspace::StoreError& error);

}  // namespace molecule::tools
