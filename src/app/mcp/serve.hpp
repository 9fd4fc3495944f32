#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "molecule/mcp/session.hpp"
#include "workspace/config/config.hpp"

namespace molecule::app {

/// How `molecule-mcp serve` was started.
struct ServeOptions {
  /// The process that started this one.
  pid_t parent = 0;
  mcp::Era era = mcp::Era::automatic;
  workspace::Environment environment;
  /// Why the configuration cannot be used, for people; empty if it can.
  std::string problem = {};
};

/// What an agent is told of these problems of the configuration.
std::string problem_text(const std::vector<std::string>& problems);

/// Speaks MCP on stdin and stdout and keeps the workspaces online meanwhile, until the host goes, a
/// signal comes, or the process cannot work: the configuration has a problem (`config` is then the
/// provisional one) or the platform rejects the only token. What a host asks within
/// `Timing::host_patience` is answered even then; with `Config::stays` the process stays with it
/// until it can work. Returns the exit code (molecule-mcp.md 1).
int serve(workspace::Config config, ServeOptions options);

}  // namespace molecule::app
