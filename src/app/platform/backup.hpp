#pragma once

#include "app/platform/platform_options.hpp"

namespace molecule::app {

/// `molecule-platform backup FILE`: writes a backup of the store in the data folder, which a
/// platform may use meanwhile. Returns the exit code.
int make_backup(const PlatformOptions& options);

/// `molecule-platform restore FILE`: puts a backup in place of the data folder's store, which no
/// platform may use. Returns the exit code.
int restore_backup(const PlatformOptions& options);

}  // namespace molecule::app
