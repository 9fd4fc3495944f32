#pragma once

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp status`: prints what the state folders tell about each workspace: who owns it, how
/// its heartbeats and polls go, its inbox. Asks nobody, changes nothing, and holds nobody up that
/// serves them meanwhile. Returns the exit code: 2 where it is not known which folders to look at.
int status(const workspace::Environment& environment, Report::Form form);

}  // namespace molecule::cli
