#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "molecule/mcp/arguments.hpp"
#include "molecule/tools/tools.hpp"

namespace molecule::tools {

/// The argument by which an agent says for which of this process's workspaces a call is.
inline constexpr const char* source_argument = "source_workspace_id";

/// The workspace of a call. Where there are several: the one that `argument` names, else the one
/// through which `peer` is known, else the first. An unknown id is a rejected argument.
workspace::Seat& choose_seat(const Services& services, mcp::Arguments& arguments,
                             const char* argument, const std::string& peer = {});

/// What to answer at once: wrong arguments, or a workspace that cannot be used.
std::optional<mcp::ToolResult> rejection(const mcp::Arguments& arguments,
                                         const workspace::Seat& seat);

/// `schema` of a tool's arguments with `argument` added, where there are several workspaces.
std::string with_choice(const Services& services, const char* argument, std::string schema);

}  // namespace molecule::tools
