#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "molecule/mcp/arguments.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// The argument by which an agent says for which of this process's workspaces a call is.
inline constexpr const char* source_argument = "source_workspace_id";

/// The same for messages to the user.
inline constexpr const char* users_argument = "workspace_id";

/// The workspace of a call. If there are several: the one that `source_argument` names, else the
/// one that knows `peer`, else the first that is in use. An unknown id is a rejected argument.
workspace::Workspace& choose_workspace(const Services& services, mcp::Arguments& arguments,
                                       const std::string& peer = {});

/// The workspace whose user is written to: the one that `users_argument` names, else the one whose
/// user wrote what the agent was given last, else the first that is in use.
workspace::Workspace& workspace_for_user(const Services& services, mcp::Arguments& arguments);

/// Why a disabled workspace does nothing.
mcp::ToolResult out_of_use(const workspace::Workspace& workspace);

/// What to answer at once: wrong arguments, or a workspace that cannot be used; then with the ones
/// that can, by `argument`.
std::optional<mcp::ToolResult> rejection(const Services& services, const mcp::Arguments& arguments,
                                         const workspace::Workspace& workspace,
                                         const char* argument = source_argument);

/// `schema` of a tool's arguments with `argument` added if there are several workspaces.
std::string with_choice(const Services& services, const char* argument, std::string schema);

}  // namespace molecule::tools
