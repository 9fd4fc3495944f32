#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/install/json_scan.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// An agent host whose configuration `install` can write.
struct Host {
  enum class Form { json, toml };
  /// What an entry looks like.
  enum class Entry { standard, typed, opencode, copilot };
  /// Which hooks it knows.
  enum class Hooks { none, claude, gemini };

  std::string_view name;
  std::string_view title;
  Form form = Form::json;
  JsonDialect dialect = {};
  Entry entry = Entry::standard;
  /// Where the entries are.
  std::vector<std::string> servers = {"mcpServers"};
  /// The file with the entries.
  std::filesystem::path file = {};
  Hooks hooks = Hooks::none;
  /// The file with the hooks, and with Claude's permissions.
  std::filesystem::path settings = {};
  /// The member that limits how long one tool may take, and its value; empty: none.
  std::string_view timeout_key = {};
  int timeout = 0;
  /// What the person has to do afterwards.
  std::string_view note = {};
};

/// The host of that name, with the paths of this user.
Host find_host(std::string_view name, const workspace::Environment& environment);

}  // namespace molecule::cli
