#pragma once

#include <sys/types.h>

#include "molecule/mcp/session.hpp"
#include "workspace/config/config.hpp"

namespace molecule::app {

/// `molecule-mcp serve`: speaks MCP on stdin and stdout and keeps the workspaces online meanwhile,
/// until the host goes, a signal comes, or the platform rejects the only token. `parent` is the
/// process that started this one. Returns the exit code (molecule-mcp.md
/// 1).
int serve(const workspace::Config& config, pid_t parent, mcp::Era era);

}  // namespace molecule::app
