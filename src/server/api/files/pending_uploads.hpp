#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/context.hpp"

namespace molecule::server {

// Files that wait for a workspace that polls (platform-api.md 10): their bytes are files in
// `Context::uploads`, named by their id; what is known of them is a row. A file without a row is
// nobody's: the next sweep removes it.

inline constexpr std::size_t largest_upload = std::size_t{100} << 20;
/// How many files an agent's message to people may have.
inline constexpr std::size_t most_attachments = 10;
/// How much may wait for one workspace.
inline constexpr std::int64_t most_waiting_bytes = std::int64_t{1} << 30;

struct PendingUpload {
  std::string id;
  std::string workspace_id;
  std::string name;
  std::string mime_type;
  std::int64_t size = 0;
};

/// Keeps the bytes durably, then the row (within the request's transaction). False where the
/// bytes cannot be written, which is logged.
bool stage_upload(Context& context, const PendingUpload& upload, std::string_view content);
/// Nothing for an unknown or expired one, or another workspace's. 24 h after it came an upload has
/// expired; an acknowledged one is there for an hour more, for the person who watches.
std::optional<PendingUpload> find_upload(Context& context, std::string_view workspace_id,
                                         std::string_view file_id);
void ack_upload(Context& context, const PendingUpload& upload);
std::filesystem::path upload_path(const Context& context, const PendingUpload& upload);
/// Bytes that wait for a workspace.
std::int64_t waiting_bytes(Context& context, std::string_view workspace_id);

/// Removes what has expired, rows first, and files that have no row; never what no platform named.
/// Not within a request.
void remove_expired_uploads(Context& context);

}  // namespace molecule::server
