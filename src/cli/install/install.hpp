#pragma once

#include <array>
#include <string_view>

#include "cli/commands/command.hpp"

namespace molecule::cli {

/// The hosts that `install` knows.
inline constexpr std::array<std::string_view, 10> host_names{
    "claude-code", "codex", "gemini",   "opencode", "cursor",
    "vscode",      "cline", "openclaw", "qwen",     "copilot"};

/// `molecule-mcp install HOST` and `uninstall HOST`; the exit code.
int install(const Arguments& arguments);
int uninstall(const Arguments& arguments);

}  // namespace molecule::cli
