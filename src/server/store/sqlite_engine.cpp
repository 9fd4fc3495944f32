#include "server/store/sqlite_engine.hpp"

#include <chrono>

#include "server/store/sqlite_migrations.hpp"
#include "server/store/sqlite_session.hpp"

namespace molecule::server::store {

namespace {

/// A request that needs the lock of another process (a backup, a shell) is answered 503 after this:
/// all other requests wait meanwhile.
constexpr std::chrono::milliseconds busy_timeout{250};

}  // namespace

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file) {
  try {
    file_ = std::make_unique<molecule::sqlite::Database>(file, busy_timeout);
    migrate(*file_, sqlite::migrations());
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
}

std::unique_ptr<Session> SqliteDatabase::session() {
  return std::make_unique<SqliteSession>(*file_);
}

std::unique_ptr<Database> open(const std::filesystem::path& file) {
  return std::make_unique<SqliteDatabase>(file);
}

}  // namespace molecule::server::store
