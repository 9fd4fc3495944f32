#include <fmt/format.h>

#include <optional>
#include <system_error>

#include "base/files/files.hpp"
#include "base/uuid.hpp"
#include "server/store/backup/backup.hpp"
#include "server/store/backup/backup_file.hpp"

namespace molecule::server::store {

namespace fs = std::filesystem;

namespace {

using molecule::sqlite::Error;

/// Writes the files that waited. Until the store names them they are of no use, and harm nothing.
void write_files(molecule::sqlite::Database& backup, const fs::path& folder, std::int64_t all,
                 const BackupProgress& progress) {
  auto file = backup.prepare("SELECT DISTINCT file FROM backup_parts");
  std::int64_t done = 0;
  while (file.step()) {
    const std::string id = file.string(0);
    // A name that leads anywhere else is not one that a platform gave.
    if (!is_uuid(id)) throw Error::refused("it names a file that no platform made");
    std::string content;
    auto part = backup.prepare("SELECT content FROM backup_parts WHERE file = $1 ORDER BY part");
    part.bind(id);
    while (part.step()) content += part.text(0);
    const auto written = files::replace(folder / id, content);
    if (!written) throw std::system_error(written.error().code, std::generic_category(), id);
    progress("files", ++done, all);
  }
}

/// Without its log the old store is whole: the new one must not be read with it.
void close_old(const fs::path& database) {
  std::error_code failure;
  if (!fs::exists(database, failure)) return;
  try {
    const molecule::sqlite::Database old(database);
  } catch (const Error&) {
    // It is damaged, so nothing of it is lost.
  }
  for (const char* ending : {"-wal", "-shm", "-journal"}) fs::remove(database.string() + ending);
}

}  // namespace

Result<BackupSummary, std::string> check_backup(const fs::path& file) {
  try {
    molecule::sqlite::Database backup(file, molecule::sqlite::Database::ReadOnly{});
    BackupSummary summary = read_summary(backup);
    summary.bytes = static_cast<std::int64_t>(fs::file_size(file));
    return summary;
  } catch (const std::exception& error) {
    return Failure{fmt::format("{}: {}", file.string(), error.what())};
  }
}

Result<BackupSummary, std::string> restore(const fs::path& file, const StoreFiles& store,
                                           const BackupProgress& progress) {
  auto summary = check_backup(file);
  if (!summary) return summary;
  try {
    molecule::sqlite::Database backup(file, molecule::sqlite::Database::ReadOnly{});
    require_intact(backup, "integrity_check");
    NewDatabase made(fs::absolute(store.database));
    backup.copy_to(made.database(),
                   [&progress](int copied, int all) { progress("pages", copied, all); });
    write_files(backup, store.uploads, summary->files, progress);
    made.database().execute("DROP TABLE backup_info; DROP TABLE backup_parts");
    if (summary->files > 0) made.database().execute("VACUUM");
    close_old(store.database);
    made.take_place();
    return summary;
  } catch (const std::exception& error) {
    return Failure{fmt::format("{}: {}", file.string(), error.what())};
  }
}

}  // namespace molecule::server::store
