#pragma once

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp status`: prints what the state folders record about each workspace: its owner, its
/// last heartbeat and poll, and its inbox. Makes no network requests, changes nothing, and does not
/// block the processes that serve the workspaces. Returns the exit code: 2 if the configuration
/// does not determine the state folders, else 0.
int status(const workspace::Environment& environment, Report::Form form);

}  // namespace molecule::cli
