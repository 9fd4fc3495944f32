#include "server/store/sqlite_engine.hpp"

#include "server/store/sqlite_migrations.hpp"
#include "server/store/sqlite_session.hpp"

namespace molecule::server::store {

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file) {
  try {
    file_ = std::make_unique<molecule::sqlite::Database>(file);
    migrate(*file_, sqlite::migrations());
    group_.emplace(*file_);
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
}

std::unique_ptr<Session> SqliteDatabase::session() {
  return std::make_unique<SqliteSession>(*file_, *group_);
}

std::unique_ptr<Database> open(const std::filesystem::path& file) {
  return std::make_unique<SqliteDatabase>(file);
}

}  // namespace molecule::server::store
