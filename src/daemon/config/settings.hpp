#pragma once

#include <chrono>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/reader.hpp"
#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::daemon {

enum class Kind { none, command, claude, codex, gemini, opencode, webhook };
std::string_view name_of(Kind kind);

/// How the messages of one sender are handled (docs/spec/daemon.md 2).
struct HandlerSettings {
  Kind kind = Kind::none;
  /// The program and its arguments; of an agent's CLI only where it is not in PATH by its name.
  std::vector<std::string> argv = {};
  bool shell = false;
  /// The bare text on stdin instead of JSON.
  bool bare_text = false;
  std::chrono::seconds deadline{900};
  std::vector<std::chrono::seconds> retry{std::chrono::seconds(60), std::chrono::seconds(300),
                                          std::chrono::seconds(1800)};
  int max_parallel = 2;
  /// Each message is a conversation of its own.
  bool per_message = false;
  /// Empty: a folder in the state folder.
  std::filesystem::path working_directory = {};
  /// The agent has this workspace's MCP tools.
  bool tools = true;
  std::vector<std::string> extra_args = {};
  bool pop_empty = false;
  std::chrono::seconds stop_grace{20};
  /// 0: no limit.
  int max_turns_per_hour = 0;
  double max_cost_usd_per_day = 0;
  std::string url = {};
  std::filesystem::path secret_file = {};
  /// Whose messages an agent reads without shell, network and files.
  enum class Restrict { nobody, peers, all };
  Restrict restricted = Restrict::peers;
};

/// A key of `[handler]`, which is a flag too.
struct Key {
  /// As in the file; the flag has dashes for underscores.
  std::string_view name;
  enum class Type { text, flag, number, seconds, list, seconds_list } type;
  std::string_view help;
};
std::span<const Key> handler_keys();

/// A value given on the command line: `--deadline-secs 60`.
using Flags = std::vector<std::pair<std::string, std::string>>;

/// The daemon's whole configuration.
class Settings {
 public:
  /// Reads `file`, or `daemon.toml` in the configuration folder if it is empty and there is one.
  /// Flags win over `[handler]`; `[workspace.X]` and `[sender.X]` are more special and win over
  /// both. The error is every problem, a line each.
  static Result<Settings, std::vector<std::string>> load(const workspace::Environment& environment,
                                                         const std::filesystem::path& file,
                                                         const Flags& flags);

  const HandlerSettings& base() const { return base_; }
  /// For a message: the workspace's id and name, the sender's id (empty for the person, who is
  /// `user` in the file) and name.
  HandlerSettings resolve(std::string_view workspace_id, std::string_view workspace_name,
                          std::string_view sender_id, std::string_view sender_name) const;
  /// True if some message has a handler.
  bool any_handler() const;
  /// The effective configuration as TOML, with secrets as their places only.
  std::string describe() const;

 private:
  struct Section {
    std::string name;
    /// Its table as JSON.
    std::string table;
  };
  HandlerSettings base_;
  std::vector<Section> workspaces_;
  std::vector<Section> senders_;
  std::filesystem::path file_;
  bool from_file_ = false;
};

}  // namespace molecule::daemon
