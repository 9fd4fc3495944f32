#pragma once

#include "cli/commands/command.hpp"

namespace molecule::cli {

// The daemon as a service of this user: a systemd user unit, or a launchd agent on macOS.

int service_install(const Arguments& arguments);
int service_uninstall(const Arguments& arguments);
int service_start(const Arguments& arguments);
int service_stop(const Arguments& arguments);
int service_restart(const Arguments& arguments);
int service_status(const Arguments& arguments);

/// `molecule-mcp logs`: the service's own.
int logs(const Arguments& arguments);

}  // namespace molecule::cli
