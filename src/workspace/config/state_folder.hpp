#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/files/files.hpp"
#include "base/result.hpp"

namespace molecule::workspace {

// Which folder is which workspace's: one rule for all ways to start. The configured folder, the
// base, belongs to the workspace that its `.workspace_id` names; all others have a folder in it
// that has the name of their id. So two workspaces never share an inbox or a token, and all
// processes of one workspace do, however many workspaces each of them serves.

/// Whose the base folder is; empty where it is nobody's.
std::string owner_of_folder(const std::filesystem::path& base);

/// Where the workspace has its state, or would have it: the base where that is its own, or nobody's
/// and this is the only workspace that was configured and has no folder in it yet. Makes nothing.
std::filesystem::path find_state_folder(const std::filesystem::path& base, const std::string& id,
                                        bool several);

/// The same for a process that is going to use it: a base that is nobody's is this workspace's from
/// now on, and its folder in another's base is made (0700). Of processes that start at once for
/// different workspaces one gets the base.
Result<std::filesystem::path, files::Error> take_state_folder(const std::filesystem::path& base,
                                                              const std::string& id, bool several);

/// Whether the file is one of those that a state folder consists of (tokens, messages, status),
/// this workspace's or another's beside it. Received files are not among them.
bool is_state_file(const std::filesystem::path& state_folder, const files::Identity& file);

struct WorkspaceFolder {
  /// Empty where it is not known, which is so in a base that nobody has taken.
  std::string id;
  std::filesystem::path folder;
};

/// All workspaces that have a folder here; the base alone where there is none. Makes nothing.
std::vector<WorkspaceFolder> list_state_folders(const std::filesystem::path& base);

}  // namespace molecule::workspace
