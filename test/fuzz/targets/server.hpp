#pragma once

#include "base/async/clock.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::fuzz {

/// A small server with one tool of every behaviour (at once, never, with progress, with a question
/// to the host, with wrong arguments, with every kind of content, with an exception), resources,
/// a prompt and completions.
mcp::ServerInfo make_server(Clock& clock);

}  // namespace molecule::fuzz
