#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "workspace/config/config.hpp"

namespace molecule::workspace {

/// The URL without trailing slashes, or why it cannot be the platform's base.
Result<std::string, std::string_view> check_platform_url(std::string_view url);

/// Reads MOLECULE_WORKSPACES, a JSON array of `{"id", "token", "platform_url"?}`. Every problem is
/// added to `problems` with its place in the list. `otherwise_url` (PLATFORM_URL) is for entries
/// without one; each has its folder in `state` (`find_state_folder`), which need not exist.
std::vector<WorkspaceConfig> read_workspace_list(const Environment& environment,
                                                 std::string_view list,
                                                 const std::string& otherwise_url,
                                                 const std::filesystem::path& state,
                                                 std::vector<std::string>& problems);

}  // namespace molecule::workspace
