#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "molecule/base/result.hpp"

namespace molecule::workspace {

/// Everything the environment says (molecule-mcp.md 2 and 3), checked.
struct Config {
  std::string workspace_id;
  /// http(s), no trailing slash.
  std::string platform_url;
  std::string org_id;
  /// JSON object's text for register (name, description, skills).
  std::string agent_card;
  std::filesystem::path state_folder;
  std::filesystem::path upload_folder;
  bool verbose = false;
  bool heartbeat = true;
  bool inbox = true;
  /// What `instructions` tells the agent to wait a turn; 0: do not poll.
  std::chrono::seconds poll_timeout{2};
};

/// Reads one environment variable; nullopt when unset. Tests give their own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

/// Reads and checks the whole configuration, makes the state folder, and finds a token. On
/// failure: every problem found, one line each with what to set, for exit code 2.
Result<Config, std::vector<std::string>> load_config(const Environment& environment);

}  // namespace molecule::workspace
