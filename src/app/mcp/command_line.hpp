#pragma once

#include <span>
#include <string_view>

#include "molecule/mcp/session.hpp"

namespace molecule::app {

enum class Command { serve, daemon, doctor, status, help, version, unknown };

struct CommandLine {
  Command command = Command::serve;
  /// The protocol era that `serve` supports.
  mcp::Era era = mcp::Era::automatic;
  /// `--json` of `doctor` and `status`.
  bool json = false;
  /// `--host` of `doctor`.
  std::string_view host = {};
  /// The arguments of `daemon`.
  std::span<const char* const> rest = {};
};

/// Parses the arguments, without the program's name. Invalid ones give `Command::unknown`.
CommandLine parse_command_line(std::span<const char* const> arguments);

/// The help text: usage, environment, examples and exit codes.
extern const char* const usage;

}  // namespace molecule::app
