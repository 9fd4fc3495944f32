#include "server/api/files/pending_uploads.hpp"

#include <chrono>
#include <system_error>

#include "base/files/files.hpp"
#include "base/log.hpp"
#include "server/api/files/upload_folder.hpp"
#include "server/api/input.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::microseconds lifetime = std::chrono::hours(24);
constexpr std::chrono::microseconds lifetime_after_ack = std::chrono::hours(1);

awaitable<bool> has_row(Context& context, const std::string& id) {
  store::Rows row = co_await context.store.query("SELECT 1 FROM pending_uploads WHERE id = $1", id);
  co_return row.next();
}

/// A request, of this platform or of another that shares the folder, may be about to commit the row
/// of such a file.
bool is_new(const std::filesystem::directory_entry& file) {
  std::error_code failure;
  const auto written = file.last_write_time(failure);
  return failure || std::filesystem::file_time_type::clock::now() - written < std::chrono::hours(1);
}

}  // namespace

std::filesystem::path upload_path(const Context& context, const PendingUpload& upload) {
  return context.services.uploads / upload.id;
}

awaitable<bool> stage_upload(Context& context, const PendingUpload& upload,
                             std::string_view content) {
  const auto written = files::replace(upload_path(context, upload), content);
  if (!written) {
    log::error("an upload could not be stored: {}", written.error().message);
    co_return false;
  }
  co_await context.store.execute(
      "INSERT INTO pending_uploads(id, workspace_id, name, mime_type, size, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6)",
      upload.id, upload.workspace_id, upload.name, upload.mime_type, upload.size,
      context.now_micros());
  co_return true;
}

awaitable<std::optional<PendingUpload>> find_upload(Context& context, std::string_view workspace_id,
                                                    std::string_view file_id) {
  const std::optional<std::string> id = parse_uuid(file_id);
  if (!id) co_return std::nullopt;
  const std::int64_t now = context.now_micros();
  store::Rows row = co_await context.store.query(
      "SELECT name, mime_type, size FROM pending_uploads WHERE id = $1 AND workspace_id = $2"
      " AND created_at > $3 AND (acked_at IS NULL OR acked_at > $4)",
      *id, workspace_id, now - lifetime.count(), now - lifetime_after_ack.count());
  if (!row.next()) co_return std::nullopt;
  PendingUpload found{.id = *id,
                      .workspace_id = std::string(workspace_id),
                      .name = row.string(0),
                      .mime_type = row.string(1),
                      .size = row.integer(2)};
  co_return found;
}

awaitable<void> ack_upload(Context& context, const PendingUpload& upload) {
  co_await context.store.execute(
      "UPDATE pending_uploads SET acked_at = coalesce(acked_at, $2) WHERE id = $1", upload.id,
      context.now_micros());
}

awaitable<void> delete_expired_uploads(Context& context) {
  const std::int64_t now = context.now_micros();
  co_await context.store.execute(
      "DELETE FROM pending_uploads WHERE created_at <= $1 OR acked_at <= $2",
      now - lifetime.count(), now - lifetime_after_ack.count());
}

awaitable<void> remove_orphaned_files(Services& services) {
  constexpr int files_a_turn = 50;
  std::error_code failure;
  if (std::filesystem::is_symlink(services.uploads, failure)) co_return;
  int files = 0;
  for (auto file = std::filesystem::directory_iterator(services.uploads, failure);
       !failure && file != std::filesystem::directory_iterator(); file.increment(failure)) {
    if (++files % files_a_turn == 0) co_await next_turn();
    if (!is_upload(*file)) continue;
    if (is_new(*file)) continue;
    const std::string name = file->path().filename().string();
    Context context(services);
    const bool known = co_await has_row(context, name);
    if (known) continue;
    std::error_code ignored;
    std::filesystem::remove(file->path(), ignored);
  }
  if (failure) log::warning("{}: {}", services.uploads.string(), failure.message());
}

}  // namespace molecule::server
