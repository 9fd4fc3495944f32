#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "base/result.hpp"
#include "daemon/config/settings.hpp"

namespace molecule::app {

struct DaemonOptions {
  /// Empty: the usual one.
  std::filesystem::path config;
  daemon::Flags flags;
  /// Print the effective configuration and end.
  bool check = false;
  /// That as JSON.
  bool json = false;
};

/// The error is one line for people.
Result<DaemonOptions, std::string> parse_daemon_options(std::span<const char* const> arguments);

}  // namespace molecule::app
