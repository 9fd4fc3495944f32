#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

// Files waiting for a polling workspace (platform-api.md 10). The bytes of each are a file in
// `Services::uploads`, named by its id and described by a row. The sweep removes files without a
// row.

inline constexpr std::size_t max_upload_bytes = std::size_t{100} << 20;
/// Files in one message from an agent to its user.
inline constexpr std::size_t max_attachments = 10;

struct PendingUpload {
  std::string id;
  std::string workspace_id;
  std::string name;
  std::string mime_type;
  std::int64_t size = 0;
};

/// Writes the bytes durably, then the row (within the request's transaction). False if the bytes
/// cannot be written, which is logged.
awaitable<bool> stage_upload(Context& context, const PendingUpload& upload,
                             std::string_view content);
/// Empty for an unknown or expired upload, or one of another workspace. An upload expires after
/// 24 h; an acknowledged one stays another hour, so that the user can still look at it.
awaitable<std::optional<PendingUpload>> find_upload(Context& context, std::string_view workspace_id,
                                                    std::string_view file_id);
awaitable<void> ack_upload(Context& context, const PendingUpload& upload);
std::filesystem::path upload_path(const Context& context, const PendingUpload& upload);

/// Deletes the rows of expired uploads. Within a transaction.
awaitable<void> delete_expired_uploads(Context& context);
/// Removes uploaded files that have no row, and no other files, a few at a turn of the loop: other
/// requests run in between. Not within a transaction.
awaitable<void> remove_orphaned_files(Services& services);

}  // namespace molecule::server
