#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/install/hosts.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// How a host starts this program for one workspace. It never holds a token: the state folder does.
struct ServerEntry {
  /// `molecule-<slug>`, so that a second workspace does not replace the first.
  std::string name;
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> variables;
};

/// The entry of the workspace, as far as config.toml does not say it already.
ServerEntry make_entry(const workspace::WorkspaceConfig& workspace,
                       const workspace::Environment& environment);

/// The members of the entry in a JSON host's file, each with its value as JSON.
std::vector<std::pair<std::string, std::string>> json_members(const Host& host,
                                                              const ServerEntry& entry,
                                                              bool allow_tools);

/// The entry in Codex's file.
std::string toml_tables(const Host& host, const ServerEntry& entry, bool allow_tools);

/// The command line of a hook, for a shell.
std::string hook_command(const ServerEntry& entry, std::string_view event,
                         std::string_view workspace_id);

/// Where this program can be started from tomorrow too: its name in PATH, if that is this program.
std::string program_path(const workspace::Environment& environment);

/// The full path of a program in PATH; empty if there is none.
std::string find_in_path(std::string_view name, const workspace::Environment& environment);

}  // namespace molecule::cli
