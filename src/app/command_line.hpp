#pragma once

#include <span>

namespace molecule::app {

enum class Command { serve, help, version, unknown };

/// What the arguments (without the program's name) ask for.
Command parse_command(std::span<const char* const> arguments);

/// Usage and environment of molecule-mcp, for people.
extern const char* const usage;

}  // namespace molecule::app
