#pragma once

#include "cli/commands/command.hpp"

namespace molecule::cli {

/// `molecule-mcp setup`: from nothing to online. Returns the exit code.
int setup(const Arguments& arguments);

}  // namespace molecule::cli
