#pragma once

#include <optional>
#include <vector>

#include "base/async/clock.hpp"
#include "cli/report.hpp"
#include "workspace/config/credentials.hpp"

namespace molecule::cli {

// What `doctor` looks at on this machine. Nothing is made or changed, the folder least of all.

/// One failure for each problem, one warning for whatever is left out or switched off.
std::vector<Check> check_configuration(const workspace::Reading& reading);

/// Whether it can be written to, or made; who else may read the files in it.
std::vector<Check> check_state_folder(const workspace::WorkspaceConfig& workspace);

/// A warning where the token is too short to be one.
std::optional<Check> check_length(workspace::Credentials& credentials);

/// Loads the token into `credentials` and tells where it came from.
Check check_token(workspace::Credentials& credentials);

/// The messages that wait in the inbox database, and which process serves the workspace.
std::vector<Check> check_state(const workspace::WorkspaceConfig& workspace, Clock& clock);

}  // namespace molecule::cli
