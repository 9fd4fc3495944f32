#include "server/store/backup/backup_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "base/files/open.hpp"
#include "base/random.hpp"
#include "server/store/migrations.hpp"
#include "server/store/sqlite/migrations.hpp"

namespace molecule::server::store {

namespace fs = std::filesystem;

namespace {

using molecule::sqlite::Error;

std::int64_t count(molecule::sqlite::Database& database, std::string_view sql) {
  auto row = database.prepare(sql);
  return row.step() ? row.integer(0) : 0;
}

bool has_table(molecule::sqlite::Database& database, std::string_view name) {
  auto row = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1");
  row.bind(name);
  return row.step();
}

void sync_path(const fs::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  const bool done = fd >= 0 && files::sync(fd);
  const int code = errno;
  if (fd >= 0) ::close(fd);
  // Some file systems cannot sync a folder.
  if (!done && code != EINVAL)
    throw std::system_error(code, std::generic_category(), path.string());
}

}  // namespace

BackupSummary read_summary(molecule::sqlite::Database& backup) {
  if (!has_table(backup, "backup_info") || !has_table(backup, "schema_migrations")) {
    throw Error::refused("it is not a backup of molecule-platform");
  }
  BackupSummary summary;
  {
    auto row = backup.prepare("SELECT version, made_at, missing_files FROM backup_info");
    if (!row.step()) throw Error::refused("it is not a complete backup");
    summary.version = row.string(0);
    summary.made_at = row.integer(1);
    summary.missing_files = row.integer(2);
  }
  summary.schema = schema_version(backup, sqlite::migrations());
  summary.workspaces = count(backup, "SELECT count(*) FROM workspaces WHERE status != 'removed'");
  summary.messages = count(backup, "SELECT count(*) FROM activity");
  summary.files = count(backup, "SELECT count(DISTINCT file) FROM backup_parts");
  return summary;
}

void require_intact(molecule::sqlite::Database& database, std::string_view pragma) {
  auto row = database.prepare("PRAGMA " + std::string(pragma) + "(1)");
  if (row.step() && row.text(0) == "ok") return;
  throw Error::refused("it is damaged: " + row.string(0));
}

NewDatabase::NewDatabase(fs::path file)
    : file_(std::move(file)),
      temporary_(file_.parent_path() /
                 ("." + file_.filename().string() + "." + random_token(6) + ".part")) {
  try {
    database_ = std::make_unique<molecule::sqlite::Database>(temporary_);
    // Nobody reads it before it is complete, and then it is synced as a whole.
    database_->execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
  } catch (...) {
    remove_all();
    throw;
  }
}

NewDatabase::~NewDatabase() {
  remove_all();
}

void NewDatabase::remove_all() noexcept {
  database_.reset();
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    std::error_code ignored;
    fs::remove(temporary_.string() + ending, ignored);
  }
}

void NewDatabase::take_place() {
  // The pages came with the mark of a store that has a log.
  database_->execute("PRAGMA journal_mode=DELETE");
  database_.reset();
  sync_path(temporary_, O_RDWR);
  fs::rename(temporary_, file_);
  sync_path(file_.parent_path(), O_RDONLY | O_DIRECTORY);
}

}  // namespace molecule::server::store
