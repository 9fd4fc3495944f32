#pragma once

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp doctor`: checks everything that the workspaces depend on and prints the results,
/// with a next step for each problem. Changes nothing, here or on the platform, and takes at most
/// 15 s. Returns the exit code: 1 if a check failed, else 0.
int doctor(const workspace::Environment& environment, Report::Form form);

}  // namespace molecule::cli
