#pragma once

#include "molecule/mcp/resource.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// Ids of peers whose id or name begins with the typed text; none if the platform does not answer.
mcp::Completer complete_peer(Services& services);

/// LOCAL, TEAM, GLOBAL.
mcp::Completer complete_scope();

/// Ids of waiting messages.
mcp::Completer complete_activity(Services& services);

}  // namespace molecule::tools
