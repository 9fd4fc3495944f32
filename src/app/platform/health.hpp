#pragma once

#include "app/platform/platform_options.hpp"

namespace molecule::app {

/// `molecule-platform health`: asks the platform that listens at `options` how it is, for
/// containers and service checks. Returns the exit code: 0 if it is well, else 1.
int check_health(const PlatformOptions& options);

}  // namespace molecule::app
