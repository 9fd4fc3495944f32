#pragma once

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp status`: prints what the state folders tell about each workspace: its owner, its
/// last heartbeat and poll, its inbox. Asks no network, changes nothing, and does not disturb the
/// processes that serve it. Returns the exit code: 2 if the folders to read are unknown.
int status(const workspace::Environment& environment, Report::Form form);

}  // namespace molecule::cli
