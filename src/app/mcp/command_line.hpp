#pragma once

#include <optional>
#include <span>
#include <string>

#include "cli/commands/command.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::app {

/// What the arguments ask for.
struct CommandLine {
  /// The command to run; null: print `text` and end with `exit_code`.
  const cli::Command* command = nullptr;
  cli::Arguments arguments = {};
  /// The protocol era that `serve` supports.
  mcp::Era era = mcp::Era::automatic;
  /// The arguments of `daemon`, which reads them itself: its options are the keys of its file.
  std::span<const char* const> rest = {};
  /// For stdout if the exit code is 0; wrong usage has been said.
  std::string text = {};
  int exit_code = 0;
};

/// Parses the arguments, without the program's name, by the table of commands. Those of `serve`,
/// which every host starts with, are parsed without building a parser.
CommandLine parse_command_line(std::span<const char* const> arguments);

/// The options and arguments of one command (`options.cpp`); nothing after wrong usage was said.
std::optional<cli::Arguments> parse_options(const cli::Command& command,
                                            std::span<const char* const> arguments);

}  // namespace molecule::app
