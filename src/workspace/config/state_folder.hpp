#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/files/files.hpp"
#include "base/result.hpp"

namespace molecule::workspace {

// Which folder belongs to which workspace: one rule for all ways to start. The configured folder,
// the base, belongs to the workspace that its `.workspace_id` names; all others have a folder in it
// named by their id. So two workspaces never share an inbox or a token, and all
// processes of one workspace do, however many workspaces each of them serves.

/// The workspace that the base folder belongs to; empty if it belongs to none.
std::string owner_of_folder(const std::filesystem::path& base);

/// Where the workspace has its state, or would have it: the base if that belongs to it, or to none
/// while this is the only configured workspace and has no folder in it yet. Makes nothing.
std::filesystem::path find_state_folder(const std::filesystem::path& base, const std::string& id,
                                        bool several);

/// The same for a process that is going to use it: a base that belongs to nobody becomes this
/// workspace's, and its folder in another's base is made (0700). If processes start for different
/// workspaces at the same time, one gets the base.
Result<std::filesystem::path, files::Error> take_state_folder(const std::filesystem::path& base,
                                                              const std::string& id, bool several);

/// True if the file belongs to a state folder (tokens, messages, status) of this workspace or of
/// another one beside it. Received files do not.
bool is_state_file(const std::filesystem::path& state_folder, const files::Identity& file);

struct WorkspaceFolder {
  /// Empty if unknown: in a base that belongs to nobody.
  std::string id;
  std::filesystem::path folder;
};

/// All workspaces that have a folder here; the base alone if there is none. Makes nothing.
std::vector<WorkspaceFolder> list_state_folders(const std::filesystem::path& base);

}  // namespace molecule::workspace
