#include "server/store/sqlite_migrations.hpp"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "base/text/time.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store {

namespace {

/// Migrating a large store takes a while; a process that starts meanwhile waits this long.
constexpr std::chrono::seconds migration_wait(60);
/// For what does not begin a transaction by `SqliteGroup`, which waits without holding up the loop.
constexpr std::chrono::milliseconds request_wait(100);

void record(molecule::sqlite::Database& database, const Migration& migration) {
  auto insert = database.prepare(
      "INSERT INTO schema_migrations (version, name, hash, applied_at) VALUES ($1, $2, $3, $4)");
  insert
      .bind(migration.version, migration.name, migration.hash,
            to_micros(std::chrono::system_clock::now()))
      .run();
}

}  // namespace

std::int64_t schema_version(molecule::sqlite::Database& database,
                            std::span<const Migration> migrations) {
  auto row = database.prepare("SELECT version, name, hash FROM schema_migrations ORDER BY version");
  std::int64_t version = 0;
  while (row.step()) {
    version = row.integer(0);
    const auto known = static_cast<std::int64_t>(migrations.size());
    if (version > known) {
      throw StoreError(StoreError::Kind::failed,
                       fmt::format("the store was written by a newer molecule-platform (schema "
                                   "version {} or later; this program supports up to {}): start "
                                   "that version, or choose another folder with --data",
                                   version, known));
    }
    if (row.text(2) != migrations[static_cast<std::size_t>(version - 1)].hash) {
      throw StoreError(
          StoreError::Kind::failed,
          fmt::format("step {} ({}) of the store's schema differs from this program's: "
                      "another build of molecule-platform wrote the store",
                      version, row.text(1)));
    }
  }
  return version;
}

void migrate(molecule::sqlite::Database& database, std::span<const Migration> migrations) {
  database.wait_for_locks(migration_wait);
  molecule::sqlite::Transaction transaction(database);
  database.execute(
      "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY,"
      " name TEXT NOT NULL, hash TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
  const std::int64_t version = schema_version(database, migrations);
  for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(version))) {
    database.execute(std::string(migration.sql).c_str());
    record(database, migration);
  }
  transaction.commit();
  database.wait_for_locks(request_wait);
}

}  // namespace molecule::server::store
