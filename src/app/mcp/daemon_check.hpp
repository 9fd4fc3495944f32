#pragma once

#include <string>

#include "daemon/config/settings.hpp"
#include "workspace/config/config.hpp"

namespace molecule::app {

/// What `daemon --check` prints: where the workspaces and their tokens are found, and the handlers;
/// never a token.
std::string configuration_text(const workspace::Config& config, const daemon::Settings& settings);
std::string configuration_json(const workspace::Config& config, const daemon::Settings& settings);

}  // namespace molecule::app
