#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "workspace/config/timing.hpp"

namespace molecule::workspace {

/// Reads one environment variable; nullopt when unset. Tests give their own.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
Environment process_environment();

/// HOME, or the user's folder in the system's list.
std::filesystem::path home_folder(const Environment& environment);

/// A workspace's token outside its state folder.
struct TokenSource {
  /// Has MOLECULE_WORKSPACE_TOKEN and MOLECULE_WORKSPACE_TOKEN_FILE of this one workspace.
  Environment environment;
  /// The name of the first of them in the user's configuration.
  std::string name = "MOLECULE_WORKSPACE_TOKEN";
};

/// The configuration of one workspace.
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
  Timing timing;
  bool verbose = false;
  bool heartbeat = true;
  bool inbox = true;
  /// How long `instructions` tells the agent to wait each turn; 0: do not poll.
  std::chrono::seconds poll_timeout{2};
  /// For the MCP server of a daemon's handler: whose session it acts for, in which conversation,
  /// and how many agents the messages that it sends have passed.
  struct Handler {
    std::int64_t session = 0;
    std::string conversation;
    int hops = 0;
  };
  std::optional<Handler> handler = std::nullopt;
};

/// What the environment says, as far as it can be read. Tokens and folders are not checked.
struct Reading {
  /// True for MOLECULE_WORKSPACES, even if it names only one.
  bool several = false;
  /// The configured folder: that of one workspace, or the parent of several.
  std::filesystem::path state_folder;
  /// False if CONFIGS_DIR names no usable folder: then no folder here is a real one.
  bool knows_folders = true;
  /// The folder for received files; if unset, each workspace has its own.
  std::optional<std::filesystem::path> upload_folder;
  /// A workspace's id and URL are empty if they are among the problems.
  Config config;
  /// What must be corrected, one line each with what to set.
  std::vector<std::string> problems;
  /// What is ignored or replaced, one line each.
  std::vector<std::string> warnings;
};

/// Reads the whole configuration, from `config.toml` where the environment does not say it
/// (`ConfigFile`); makes and changes nothing.
Reading read_config(const Environment& environment);

/// Reads and checks the whole configuration, takes the state folders, and finds the tokens. On
/// failure: every problem found, one line each with what to set, for exit code 2.
Result<Config, std::vector<std::string>> load_config(const Environment& environment);

}  // namespace molecule::workspace
