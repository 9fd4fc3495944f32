#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::cli {

/// What `setup` writes about one workspace.
struct NewEntry {
  std::string id;
  std::string url;
  /// The agent's name and description; may be empty.
  std::string name;
  std::string description;
  std::filesystem::path token_file;
};

/// Adds the workspace to config.toml, or replaces its entry; the rest of the file stays byte for
/// byte. Returns the file's path; the error is for people.
Result<std::filesystem::path, std::string> write_config(const workspace::Environment& environment,
                                                        const NewEntry& entry);

/// Why `write_config` would fail, found before anything is made that it is to remember.
Result<void, std::string> check_config(const workspace::Environment& environment);

}  // namespace molecule::cli
