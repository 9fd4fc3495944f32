#pragma once

#include <optional>
#include <vector>

#include "base/async/clock.hpp"
#include "cli/report.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::cli {

// The checks of this machine. None of them creates or changes anything.

/// A failure for each problem, a warning for each value that is ignored or feature that is off.
std::vector<Check> check_configuration(const workspace::Reading& reading);

/// Whether the folder is writable or can be created, and whether other users can read its files.
std::vector<Check> check_state_folder(const workspace::WorkspaceConfig& workspace);

/// A warning if the token is too short to be a real one.
std::optional<Check> check_length(workspace::Credentials& credentials);

/// Loads the token into `credentials` and reports where it came from.
Check check_token(workspace::Credentials& credentials);

/// The messages waiting in the inbox database, and the process that serves the workspace.
std::vector<Check> check_state(const workspace::WorkspaceConfig& workspace, Clock& clock,
                               const workspace::Timing& timing);

}  // namespace molecule::cli
