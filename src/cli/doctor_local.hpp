#pragma once

#include <vector>

#include "base/async/clock.hpp"
#include "cli/report.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::cli {

// What `doctor` checks on this machine. Nothing is made or changed.

/// One failure for each problem, one warning for everything ignored or switched off.
std::vector<Check> check_configuration(const workspace::Reading& reading);

/// That it can be written to, or made, and that nobody else may read the files in it.
std::vector<Check> check_state_folder(const workspace::WorkspaceConfig& workspace);

/// Loads the token into `credentials` and says where it came from.
Check check_token(workspace::Credentials& credentials);

/// The messages that wait in the inbox database, and which process serves the workspace.
std::vector<Check> check_state(const workspace::WorkspaceConfig& workspace, Clock& clock,
                               const workspace::Timing& timing);

}  // namespace molecule::cli
