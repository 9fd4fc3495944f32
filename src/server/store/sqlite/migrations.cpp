#include "server/store/sqlite/migrations.hpp"

#include <chrono>
#include <string>

#include "base/text/time.hpp"

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
    require_known(version, row.text(1), row.text(2), migrations,
                  "choose another folder with --data");
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
