#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json/reader.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

// What a workspace's fields may hold, wherever they come from (platform-api.md 2.1).

/// At most `most_bytes`, without control characters but tabs.
bool is_line(std::string_view text, std::size_t most_bytes);
/// A name or a role: `is_line`, and none of `{}[]|>*&!`, which would not survive a config file.
bool is_label(std::string_view text, std::size_t most_bytes);
inline constexpr std::size_t longest_name = 255;
inline constexpr std::size_t longest_role = 1000;
inline constexpr std::size_t longest_runtime = 100;
inline constexpr std::size_t longest_url = 2048;

/// An absolute path that does not climb.
bool is_workspace_dir(std::string_view path);

/// Whether `id` (lower case) may be the parent of `child` (empty for a new workspace): it exists,
/// is not removed, and does not stand below `child`.
bool may_be_parent(Context& context, std::string_view id, std::string_view child);

}  // namespace molecule::server
