#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/json/reader.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

// The rules for a workspace's fields, whichever request sets them (platform-api.md 2.1).

/// At most `max_bytes`, without control characters except tabs.
bool is_line(std::string_view text, std::size_t max_bytes);
/// A name or a role: `is_line`, and none of `{}[]|>*&!`, which would not survive a config file.
bool is_label(std::string_view text, std::size_t max_bytes);
inline constexpr std::size_t max_name_bytes = 255;
inline constexpr std::size_t max_role_bytes = 1000;
inline constexpr std::size_t max_runtime_bytes = 100;
inline constexpr std::size_t max_url_bytes = 2048;

/// An absolute path without `..`.
bool is_workspace_dir(std::string_view path);

/// True if `id` (lower case) may be the parent of `child` (empty for a new workspace): it exists,
/// is not removed, and is not a descendant of `child`.
awaitable<bool> may_be_parent(Context& context, std::string_view id, std::string_view child);

}  // namespace molecule::server
