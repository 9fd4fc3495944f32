#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/tasks.hpp"
#include "molecule/mcp/prompt.hpp"
#include "molecule/mcp/resource.hpp"
#include "molecule/mcp/tool.hpp"
#include "workspace/config/config.hpp"
#include "workspace/workspaces.hpp"

namespace molecule::tools {

/// What the handlers use; everything outlives the session.
struct Services {
  Clock& clock;
  const workspace::Config& config;
  workspace::Workspaces& workspaces;
  /// Runs the tasks beside a call: its progress notifications, and the activity reports, which
  /// neither delay nor fail an answer and may end after it. Cancelled and joined at the end.
  TaskGroup& tasks;
  /// Why nothing can be used yet, and what to do: what tools answer meanwhile. Empty once the
  /// configuration is complete.
  std::string problem = {};
  /// The process stays while no workspace can be used (MOLECULE_MCP_STAY), and goes on by itself
  /// once one can.
  bool stays = false;
  /// Called for each call of a tool, if it is set.
  std::function<void()> tool_called = {};
};

/// The resource that changes whenever a message arrives or is removed.
inline constexpr const char* inbox_uri = "molecule://inbox";

/// The URIs of the resources that change when messages arrive or those in `removed` are removed.
std::vector<std::string> changed_resources(const std::vector<std::string>& removed);

/// Passes the URIs of changed resources to `updated`, after every change of the messages. Ends by
/// cancellation.
awaitable<void> report_resource_changes(Services& services,
                                        std::function<void(const std::string& uri)> updated);

/// All tools, in the order in which they are listed (molecule-mcp.md 6).
std::vector<mcp::Tool> make_tools(Services& services);

/// `molecule://workspace`, `…/peers` and `…/inbox`: what the corresponding tools return, as JSON.
/// If that fails, the contents are an object with `error`.
std::vector<mcp::Resource> make_resources(Services& services);

/// `molecule://inbox/{activity_id}`: one waiting message.
std::vector<mcp::ResourceTemplate> make_resource_templates(Services& services);

/// Prompts for common turns: answer the inbox, delegate and follow up, remember.
std::vector<mcp::Prompt> make_prompts(Services& services);

/// The instructions that the agent gets at `initialize` (molecule-mcp.md 7); `problem` as in
/// `Services`.
std::string make_instructions(const workspace::Config& config, std::string_view problem = {});

}  // namespace molecule::tools
