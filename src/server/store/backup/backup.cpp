#include "server/store/backup/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/files/open.hpp"
#include "base/log.hpp"
#include "base/text/time.hpp"
#include "server/store/backup/backup_file.hpp"
#include "server/store/migrations.hpp"
#include "server/store/sqlite/migrations.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t part_bytes = std::size_t{1} << 20;

struct Upload {
  std::string id;
  std::int64_t size = 0;
};

std::vector<Upload> list_uploads(molecule::sqlite::Database& database) {
  std::vector<Upload> uploads;
  auto row = database.prepare("SELECT id, size FROM pending_uploads ORDER BY id");
  while (row.step()) uploads.push_back({.id = row.string(0), .size = row.integer(1)});
  return uploads;
}

/// Adds the file's bytes. False if there is no such file, or not with that size.
bool add_file(molecule::sqlite::Database& backup, const fs::path& path, const Upload& upload) {
  const int fd = files::open_regular(path, O_RDONLY);
  if (fd < 0) return false;
  const struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};
  std::string buffer(part_bytes, '\0');
  std::int64_t total = 0;
  for (std::int64_t part = 0; part == 0 || total < upload.size; ++part) {
    std::size_t filled = 0;
    while (filled < buffer.size()) {
      const ssize_t got = ::read(fd, buffer.data() + filled, buffer.size() - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw std::system_error(errno, std::generic_category(), path.string());
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    total += static_cast<std::int64_t>(filled);
    if (filled == 0 && total < upload.size) break;
    auto insert = backup.prepare(
        "INSERT INTO backup_parts (file, part, content) VALUES ($1, $2, CAST($3 AS BLOB))");
    insert.bind(upload.id, part, std::string_view(buffer).substr(0, filled)).run();
  }
  if (total == upload.size) return true;
  backup.prepare("DELETE FROM backup_parts WHERE file = $1").bind(upload.id).run();
  return false;
}

bool has_row(molecule::sqlite::Database& live, const std::string& id) {
  auto row = live.prepare("SELECT 1 FROM pending_uploads WHERE id = $1");
  row.bind(id);
  return row.step();
}

void fill(molecule::sqlite::Database& live, molecule::sqlite::Database& backup,
          const StoreFiles& store, const BackupProgress& progress) {
  // One moment of the store. Those who write do not wait for it: it reads beside their log.
  live.execute("BEGIN; SELECT count(*) FROM sqlite_schema");
  live.copy_to(backup, [&progress](int copied, int all) { progress("pages", copied, all); });
  live.execute("COMMIT");
  backup.execute(backup_tables);
  backup.execute("BEGIN");
  const std::vector<Upload> uploads = list_uploads(backup);
  std::int64_t missing = 0;
  std::int64_t done = 0;
  for (const Upload& upload : uploads) {
    const bool added = add_file(backup, store.uploads / upload.id, upload);
    progress("files", ++done, static_cast<std::int64_t>(uploads.size()));
    if (added) continue;
    // It may have expired since that moment: the platform has deleted its row and then the file.
    if (has_row(live, upload.id)) {
      ++missing;
      log::warning("the file of upload {} is missing", upload.id);
    }
    backup.prepare("DELETE FROM pending_uploads WHERE id = $1").bind(upload.id).run();
  }
  backup.prepare("INSERT INTO backup_info (version, made_at, missing_files) VALUES ($1, $2, $3)")
      .bind(MOLECULE_VERSION, to_micros(std::chrono::system_clock::now()), missing)
      .run();
  backup.execute("COMMIT");
}

/// Why `file` may not be written; empty if it may.
std::string refusal(const fs::path& file) {
  std::error_code failure;
  const fs::file_status status = fs::symlink_status(file, failure);
  if (status.type() == fs::file_type::not_found) return {};
  if (!check_backup(file)) {
    return "exists and is not a backup of molecule-platform: choose another name";
  }
  return {};
}

}  // namespace

Result<BackupSummary, std::string> back_up(const StoreFiles& store, const fs::path& file,
                                           const BackupProgress& progress) {
  if (std::string why = refusal(file); !why.empty()) return Failure{file.string() + " " + why};
  std::error_code failure;
  if (!fs::exists(store.database, failure)) {
    return Failure{
        fmt::format("there is no store {}: name its folder with --data", store.database.string())};
  }
  std::string subject = store.database.string();
  try {
    molecule::sqlite::Database live(store.database);
    schema_version(live, sqlite::migrations());
    subject = file.string();
    NewDatabase made(fs::absolute(file));
    fill(live, made.database(), store, progress);
    require_intact(made.database(), "quick_check");
    BackupSummary summary = read_summary(made.database());
    made.take_place();
    summary.bytes = static_cast<std::int64_t>(fs::file_size(file));
    return summary;
  } catch (const std::exception& error) {
    return Failure{fmt::format("{}: {}", subject, error.what())};
  }
}

}  // namespace molecule::server::store
