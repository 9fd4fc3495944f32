#pragma once

#include <span>

namespace molecule::app {

/// `molecule-mcp daemon`: keeps the workspaces online with no host, and gives their messages to
/// handlers. `arguments` are those after the command's name: `--config FILE`, `--handler KIND`,
/// `--check`, a flag for each of `daemon::handler_keys`, and `-- PROGRAM ARGUMENT…` for `argv`.
/// Returns the exit code (docs/spec/daemon.md 1).
int daemon_main(std::span<const char* const> arguments);

}  // namespace molecule::app
