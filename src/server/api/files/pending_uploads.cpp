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

bool has_row(Context& context, const std::string& id) {
  auto row = context.database.prepare("SELECT 1 FROM pending_uploads WHERE id = ?1");
  row.bind(id);
  return row.step();
}

}  // namespace

std::filesystem::path upload_path(const Context& context, const PendingUpload& upload) {
  return context.uploads / upload.id;
}

bool stage_upload(Context& context, const PendingUpload& upload, std::string_view content) {
  const auto written = files::replace(upload_path(context, upload), content);
  if (!written) {
    log::error("an upload cannot be kept: {}", written.error().message);
    return false;
  }
  auto insert = context.database.prepare(
      "INSERT INTO pending_uploads(id, workspace_id, name, mime_type, size, created_at)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  insert
      .bind(upload.id, upload.workspace_id, upload.name, upload.mime_type, upload.size,
            now_micros(context))
      .run();
  return true;
}

std::optional<PendingUpload> find_upload(Context& context, std::string_view workspace_id,
                                         std::string_view file_id) {
  const std::optional<std::string> id = parse_uuid(file_id);
  if (!id) return std::nullopt;
  auto row = context.database.prepare(
      "SELECT name, mime_type, size FROM pending_uploads WHERE id = ?1 AND workspace_id = ?2"
      " AND created_at > ?3 AND (acked_at IS NULL OR acked_at > ?4)");
  const std::int64_t now = now_micros(context);
  row.bind(*id, workspace_id, now - lifetime.count(), now - lifetime_after_ack.count());
  if (!row.step()) return std::nullopt;
  return PendingUpload{.id = *id,
                       .workspace_id = std::string(workspace_id),
                       .name = row.string(0),
                       .mime_type = row.string(1),
                       .size = row.integer(2)};
}

void ack_upload(Context& context, const PendingUpload& upload) {
  auto update = context.database.prepare(
      "UPDATE pending_uploads SET acked_at = ifnull(acked_at, ?2) WHERE id = ?1");
  update.bind(upload.id, now_micros(context)).run();
}

std::int64_t waiting_bytes(Context& context, std::string_view workspace_id) {
  auto row = context.database.prepare(
      "SELECT ifnull(sum(size), 0) FROM pending_uploads WHERE workspace_id = ?1");
  row.bind(workspace_id).step();
  return row.integer(0);
}

void remove_expired_uploads(Context& context) {
  const std::int64_t now = now_micros(context);
  auto remove = context.database.prepare(
      "DELETE FROM pending_uploads WHERE created_at <= ?1 OR acked_at <= ?2");
  remove.bind(now - lifetime.count(), now - lifetime_after_ack.count()).run();
  std::error_code failure;
  if (std::filesystem::is_symlink(context.uploads, failure)) return;
  for (auto file = std::filesystem::directory_iterator(context.uploads, failure);
       !failure && file != std::filesystem::directory_iterator(); file.increment(failure)) {
    if (!is_upload(*file) || has_row(context, file->path().filename().string())) continue;
    std::error_code ignored;
    std::filesystem::remove(file->path(), ignored);
  }
  if (failure) log::warning("{}: {}", context.uploads.string(), failure.message());
}

}  // namespace molecule::server
