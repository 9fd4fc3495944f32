#pragma once

#include <string>

#include "cli/commands/command.hpp"

namespace molecule::cli {

/// The completion script of `shell` (bash, zsh or fish), from the table of commands.
std::string completion_script(std::string_view shell);

/// `molecule-mcp completion SHELL`.
int completion(const Arguments& arguments);

}  // namespace molecule::cli
