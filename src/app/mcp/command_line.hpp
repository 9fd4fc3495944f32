#pragma once

#include <span>

#include "molecule/mcp/session.hpp"

namespace molecule::app {

enum class Command { serve, doctor, status, help, version, unknown };

struct CommandLine {
  Command command = Command::serve;
  /// Which of the protocol's eras `serve` answers.
  mcp::Era era = mcp::Era::automatic;
  /// `--json` of doctor and status
  bool json = false;
};

/// What the arguments (without the program's name) ask for.
CommandLine parse_command_line(std::span<const char* const> arguments);

/// Usage and environment of molecule-mcp, for people.
extern const char* const usage;

}  // namespace molecule::app
