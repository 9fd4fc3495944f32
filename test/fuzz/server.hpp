#pragma once

#include "molecule/base/clock.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::fuzz {

/// A small server with one tool of every behaviour: at once, never, with progress, with wrong
/// arguments, with a structured result, with an exception.
mcp::ServerInfo make_server(Clock& clock);

}  // namespace molecule::fuzz
