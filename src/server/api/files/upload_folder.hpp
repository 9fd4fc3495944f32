#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace molecule::server {

/// Makes the folder of the files that wait for workspaces, or takes the one that a platform made
/// before. Any other is refused, as whatever is of no use in it is removed: one behind a link,
/// another user's, one with files in it that no platform named. The failure is a text for people.
Result<void, std::string> claim_upload_folder(const std::filesystem::path& folder);

/// A regular file that a platform named: an upload's id, or what such a file is called until it is
/// written whole.
bool is_upload(const std::filesystem::directory_entry& entry);

}  // namespace molecule::server
