#pragma once

#include <string>

#include "base/result.hpp"
#include "cli/commands/command.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// What a command needs of the configuration.
enum class Need {
  folders,  ///< only where the state is: nothing is made or sent
  token     ///< everything, for calls to the platform
};

/// The configuration with the workspaces that the command is for: those of `--workspace`, or all.
/// A failure has been printed and is the exit code.
Result<workspace::Config, int> choose_workspaces(const Arguments& arguments, Need need);

/// The same for a command that acts as one workspace: if several are configured, `--workspace` must
/// name it.
Result<workspace::Config, int> choose_one(const Arguments& arguments, Need need);

/// The name on the workspace's agent card.
std::string card_name(const workspace::WorkspaceConfig& workspace);

}  // namespace molecule::cli
