#pragma once

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp doctor`: looks at everything that has to be right for the workspaces to work, and
/// prints what it finds, with a next step for what is wrong. Changes nothing, here and on the
/// platform, and takes 15 s at most. Returns the exit code: 0 without a failure, else 1.
int doctor(const workspace::Environment& environment, Report::Form form);

}  // namespace molecule::cli
