#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/commands/command.hpp"

namespace molecule::cli {

/// `--help`: all commands by group, and where to read on.
std::string overview();

/// `help NAME` and `NAME --help`.
std::string describe(const Command& command);

/// `molecule-mcp send [options] WHO [TEXT]`.
std::string synopsis(const Command& command);

struct Topic {
  std::string_view name;
  std::string_view summary;
  std::string_view text;
};
/// What `help TOPIC` explains besides commands.
std::span<const Topic> topics();

/// `molecule-mcp help [--manual] [TOPIC]`.
int help(const Arguments& arguments);

/// One line for wrong usage, to stderr: what is wrong, and what was probably meant. Returns the
/// exit code.
int wrong_usage(std::string_view problem, std::string_view hint = {});
/// The same line for any other failure.
void say_failure(std::string_view problem, std::string_view hint = {});
/// As `wrong_usage` for a first word that is no command.
int unknown_command(std::string_view word);

}  // namespace molecule::cli
