#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/reader.hpp"
#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::workspace {

/// The folder of the user's configuration files: `molecule` in XDG_CONFIG_HOME, or in ~/.config.
std::filesystem::path config_folder(const Environment& environment);

/// A TOML file, read as JSON; empty if there is no such file. Refuses one that other users can
/// write. The error is one line for people, with the path.
Result<std::optional<json::Document>, std::string> read_toml_file(
    const std::filesystem::path& path);

/// Checks that `table` has only these keys. For each other one a problem with its place, and the
/// nearest known key if it looks like a slip.
void check_keys(json::Value table, const std::vector<std::string_view>& known,
                std::string_view place, std::vector<std::string>& problems);

/// `config.toml` in `config_folder`: what `setup` writes, so that no command needs an environment.
/// It never holds a token. docs/spec/daemon.md 2 has its keys.
class ConfigFile {
 public:
  /// Reads the file; without one there are no entries. Problems are lines for people.
  static ConfigFile read(const Environment& environment, std::vector<std::string>& problems);

  /// One `[[workspace]]`.
  struct Entry {
    std::string id;
    /// A label for people, and the agent's name.
    std::string name;
    /// Variables that it stands for.
    std::map<std::string, std::string, std::less<>> variables;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  /// The entry of that id, or of that name, in any case; null if there is none.
  const Entry* find(std::string_view id_or_name) const;
  const std::filesystem::path& path() const { return path_; }

  /// The environment, completed by the file: a variable that is set wins. `entry` may be null. Of
  /// several workspaces none has the token that the environment holds.
  Environment complete(const Environment& environment, const Entry* entry,
                       bool several = false) const;

 private:
  std::filesystem::path path_;
  std::map<std::string, std::string, std::less<>> variables_;
  std::vector<Entry> entries_;
};

}  // namespace molecule::workspace
