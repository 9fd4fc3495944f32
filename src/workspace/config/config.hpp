#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace molecule::workspace {

/// Reads one environment variable; nullopt when unset. Tests give their own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

/// Where a workspace's token comes from, besides its state folder.
struct TokenSource {
  /// Has MOLECULE_WORKSPACE_TOKEN and MOLECULE_WORKSPACE_TOKEN_FILE of this one workspace.
  Environment environment;
  /// What people call the first of them in their configuration.
  std::string name = "MOLECULE_WORKSPACE_TOKEN";
};

/// What is of one workspace alone.
struct WorkspaceConfig {
  /// A UUID in lower case.
  std::string id;
  /// http(s), no trailing slash.
  std::string platform_url;
  /// JSON object's text for register (name, description, skills).
  std::string agent_card;
  TokenSource token;
  std::filesystem::path state_folder;
  std::filesystem::path upload_folder;
};

/// Everything the environment says (molecule-mcp.md 2 and 3), checked.
struct Config {
  /// Never empty. Each has a state folder of its own (`find_state_folder`).
  std::vector<WorkspaceConfig> workspaces;
  std::string org_id;
  bool verbose = false;
  bool heartbeat = true;
  bool inbox = true;
  /// What `instructions` tells the agent to wait a turn; 0: do not poll.
  std::chrono::seconds poll_timeout{2};
};

/// What the environment says, as far as it can be read. Tokens and folders are not looked at.
struct Reading {
  /// Of MOLECULE_WORKSPACES, even where it names only one.
  bool several = false;
  /// The configured folder, which is one workspace's, or has the folders of several.
  std::filesystem::path state_folder;
  /// False where CONFIGS_DIR names none that can be used: then no folder here is a real one.
  bool knows_folders = true;
  /// Where received files go, unless each workspace has its own place for them.
  std::optional<std::filesystem::path> upload_folder;
  /// A workspace's id and URL are empty where they are among the problems.
  Config config;
  /// What must be put right, a line each with what to set.
  std::vector<std::string> problems;
  /// What is left out or replaced, a line each.
  std::vector<std::string> warnings;
};

/// Reads the whole configuration; makes and changes nothing.
Reading read_config(const Environment& environment);

/// Reads and checks the whole configuration, takes the state folders, and finds the tokens. On
/// failure: every problem found, one line each with what to set, for exit code 2.
Result<Config, std::vector<std::string>> load_config(const Environment& environment);

}  // namespace molecule::workspace
