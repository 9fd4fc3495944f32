#include "server/store/postgres/migrate.hpp"

#include <array>
#include <charconv>
#include <string>

#include "base/log.hpp"
#include "base/text/time.hpp"
#include "server/store/postgres/connection/job.hpp"

namespace molecule::server::store::postgres {

namespace {

// Says what it is for, to whoever looks at pg_locks.
constexpr const char* lock_migrations =
    "SELECT pg_advisory_xact_lock(hashtextextended('molecule-platform schema', 0))";

ResultPtr run(PGconn* connection, const char* sql) {
  ResultPtr result(libpq().exec(connection, sql));
  const ExecStatusType status = libpq().resultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) throw result_error(result.get());
  return result;
}

std::string text(const PGresult* result, int row, int column) {
  return libpq().getvalue(result, row, column);
}

std::int64_t number(const std::string& digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

[[noreturn]] void refuse(const std::string& reason) {
  throw StoreError(StoreError::Kind::failed, reason);
}

void check_server(PGconn* connection) {
  // The first one whose extensions for texts may be installed by a database's owner.
  constexpr int oldest = 130'000;
  if (libpq().serverVersion(connection) < oldest) refuse("PostgreSQL 13 or newer is required");
  const ResultPtr facts = run(connection,
                              "SELECT current_setting('server_encoding'), current_setting('fsync'),"
                              " datctype FROM pg_database WHERE datname = current_database()");
  if (text(facts.get(), 0, 0) != "UTF8") {
    refuse("the database is not in UTF8: create it with ENCODING 'UTF8' TEMPLATE template0");
  }
  if (text(facts.get(), 0, 1) == "off") {
    log::warning("PostgreSQL runs with fsync = off: what was acknowledged may be lost");
  }
  const std::string letters = text(facts.get(), 0, 2);
  if (letters == "C" || letters == "POSIX") {
    log::warning("the database's LC_CTYPE is {}: searches distinguish capital letters beyond ASCII",
                 letters);
  }
}

/// The store's version: that of its last recorded step. Throws unless this program knows every
/// step.
std::int64_t recorded_version(PGconn* connection, std::span<const Migration> migrations) {
  const ResultPtr rows =
      run(connection, "SELECT version, name, hash FROM schema_migrations ORDER BY version");
  std::int64_t version = 0;
  for (int row = 0; row < libpq().ntuples(rows.get()); ++row) {
    version = number(text(rows.get(), row, 0));
    require_known(version, text(rows.get(), row, 1), text(rows.get(), row, 2), migrations,
                  "choose another database with --store");
  }
  return version;
}

void record(PGconn* connection, const Migration& migration) {
  const std::string version = std::to_string(migration.version);
  const std::string name(migration.name);
  const std::string hash(migration.hash);
  const std::string now = std::to_string(to_micros(std::chrono::system_clock::now()));
  const std::array<const char*, 4> values{version.c_str(), name.c_str(), hash.c_str(), now.c_str()};
  const ResultPtr result(libpq().execParams(
      connection,
      "INSERT INTO schema_migrations (version, name, hash, applied_at)"
      " VALUES (CAST($1 AS BIGINT), $2, $3, CAST($4 AS BIGINT))",
      static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0));
  if (libpq().resultStatus(result.get()) != PGRES_COMMAND_OK) throw result_error(result.get());
}

}  // namespace

void migrate(PGconn* connection, std::span<const Migration> migrations) {
  check_server(connection);
  run(connection, "BEGIN");
  run(connection, lock_migrations);
  run(connection,
      "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY,"
      " name TEXT NOT NULL, hash TEXT NOT NULL, applied_at BIGINT NOT NULL)");
  const std::int64_t version = recorded_version(connection, migrations);
  for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(version))) {
    run(connection, std::string(migration.sql).c_str());
    record(connection, migration);
  }
  run(connection, "COMMIT");
}

}  // namespace molecule::server::store::postgres
