#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "molecule/mcp/arguments.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// The argument by which any tool is told for which of this process's workspaces a call is.
inline constexpr const char* source_argument = "source_workspace_id";

/// `send_message_to_user` takes this one too, as the hosted platform's tool does.
inline constexpr const char* users_argument = "workspace_id";

/// The workspace that `source_argument` names; null if it names none. An unknown id is a rejected
/// argument, here and below.
workspace::Workspace* source_workspace(const Services& services, mcp::Arguments& arguments);

/// The workspace of a call: the one that `source_argument` names, else the one that knows `peer`,
/// else the first that is in use.
workspace::Workspace& choose_workspace(const Services& services, mcp::Arguments& arguments,
                                       const std::string& peer = {});

/// The workspace whose user a message is for: the one that is named, else the one whose user wrote
/// the message that the agent was given last, else the first that is in use.
workspace::Workspace& workspace_for_user(const Services& services, mcp::Arguments& arguments);

/// The result of a call for a disabled workspace: the reason.
mcp::ToolResult out_of_use(const workspace::Workspace& workspace);

/// The result of a call that must not run: its arguments are wrong, or `workspace` cannot be used.
/// The latter lists the workspaces that can be.
std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Workspace& workspace);

/// `schema` of a tool's arguments with `source_argument` added if there are several workspaces.
std::string with_choice(const Services& services, std::string schema);

}  // namespace molecule::tools
