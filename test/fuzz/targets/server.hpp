#pragma once

#include "base/async/clock.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::fuzz {

/// A small server with a tool for every behaviour (immediate, never ending, progress, input
/// request, invalid arguments, every content type, exception), resources, a prompt and completions.
mcp::ServerInfo make_server(Clock& clock);

}  // namespace molecule::fuzz
