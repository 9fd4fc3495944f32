#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "molecule/mcp/arguments.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// The argument that names which of this process's workspaces a call is for.
inline constexpr const char* source_argument = "source_workspace_id";

/// The same for messages to the user.
inline constexpr const char* users_argument = "workspace_id";

/// The workspace of a call. If there are several: the one that `source_argument` names, else the
/// one that knows `peer`, else the first that is in use. An unknown id is a rejected argument.
workspace::Workspace& choose_workspace(const Services& services, mcp::Arguments& arguments,
                                       const std::string& peer = {});

/// The workspace whose user a message is for: the one that `users_argument` names, else the one
/// whose user wrote the message that the agent was given last, else the first that is in use.
workspace::Workspace& workspace_for_user(const Services& services, mcp::Arguments& arguments);

/// The result of a call for a disabled workspace: the reason.
mcp::ToolResult out_of_use(const workspace::Workspace& workspace);

/// The result of a call that must not run: its arguments are wrong, or `workspace` cannot be used.
/// The latter lists the workspaces that can be, to pass as `argument`.
std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Workspace& workspace,
                                         const char* argument = source_argument);

/// `schema` of a tool's arguments with `argument` added if there are several workspaces.
std::string with_choice(const Services& services, const char* argument, std::string schema);

}  // namespace molecule::tools
