#pragma once

#include <string_view>

#include "cli/report.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// `molecule-mcp doctor`: checks everything that the workspaces depend on and prints the results,
/// with a next step for each problem. Changes nothing, here or on the platform, and takes at most
/// 15 s. Returns the exit code: 1 if a check failed, else 0.
/// `host`: also what to know of that agent host (`check_host`); 2 if it is unknown.
int doctor(const workspace::Environment& environment, Report::Form form,
           std::string_view host = {});

}  // namespace molecule::cli
