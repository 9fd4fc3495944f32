#pragma once

#include <filesystem>
#include <vector>

namespace molecule::app {

/// launchd starts a program that failed again, whatever its exit code is. If it runs this process,
/// waits for a signal, or until one of `files` changes, comes or goes; elsewhere returns at once.
/// For a daemon that a restart cannot help (docs/spec/daemon.md 1).
void wait_under_launchd(const std::vector<std::filesystem::path>& files);

}  // namespace molecule::app
