#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using sqlite::Database;
using sqlite::Transaction;

namespace {

std::int64_t count(Database& database) {
  auto query = database.prepare("SELECT count(*) FROM t");
  REQUIRE(query.step());
  return query.integer(0);
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

constexpr const char* schema = "CREATE TABLE IF NOT EXISTS t (a ANY, b ANY)";

}  // namespace

TEST_CASE("values are bound and read back") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  database.execute(schema);
  const std::string with_zero("a\0b", 3);
  database.prepare("INSERT INTO t VALUES (?1, ?2)").bind(with_zero, 42).run();
  CHECK(database.changes() == 1);
  CHECK(database.last_insert_id() == 1);
  database.prepare("INSERT INTO t VALUES (?1, ?2)")
      .bind(std::optional<std::string>(), std::int64_t{1} << 60)
      .run();
  database.prepare("INSERT INTO t VALUES (?1, ?2)").bind(std::string_view(), 1.5).run();
  database.prepare("INSERT INTO t VALUES (?1, ?2)").bind(nullptr, true).run();

  auto query = database.prepare("SELECT a, b FROM t ORDER BY rowid");
  REQUIRE(query.step());
  CHECK(query.text(0) == with_zero);
  CHECK(query.string(0) == with_zero);
  CHECK(query.integer(1) == 42);
  REQUIRE(query.step());
  CHECK(query.is_null(0));
  CHECK(query.text(0).empty());
  CHECK_FALSE(query.optional_string(0));
  CHECK(query.integer(1) == std::int64_t{1} << 60);
  REQUIRE(query.step());
  CHECK_FALSE(query.is_null(0));
  CHECK(query.optional_string(0) == "");
  CHECK(query.number(1) == 1.5);
  REQUIRE(query.step());
  CHECK(query.integer(1) == 1);
  CHECK_FALSE(query.step());
}

TEST_CASE("a cached statement can be used twice at a time and is reset for reuse") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)");
  constexpr std::string_view sql = "SELECT a FROM t WHERE a >= coalesce(?1, 0) ORDER BY a";
  {
    auto outer = database.prepare(sql);
    auto inner = database.prepare(sql);
    inner.bind(2);
    REQUIRE(outer.step());
    REQUIRE(inner.step());
    CHECK(outer.integer(0) == 1);
    CHECK(inner.integer(0) == 2);
    const auto moved = std::move(outer);
    CHECK(moved.integer(0) == 1);
  }
  for (int i = 0; i < 3; ++i) {
    auto again = database.prepare(sql);
    REQUIRE(again.step());
    CHECK(again.integer(0) == 1);
  }
}

TEST_CASE("a transaction that is not committed is rolled back") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  database.execute(schema);
  {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1, 1)");
    transaction.commit();
  }
  CHECK(count(database) == 1);
  try {
    Transaction transaction(database);
    database.execute("INSERT INTO t VALUES (1, 1)");
    database.execute("no SQL");
  } catch (const sqlite::Error& error) {
    CHECK(error.code() == SQLITE_ERROR);
  }
  CHECK(count(database) == 1);
  const Transaction transaction(database);
  CHECK_THROWS_AS(Transaction{database}, sqlite::Error);
}

TEST_CASE("the file is private and durable") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "db";
  Database database(path);
  database.execute(schema);
  database.execute("INSERT INTO t VALUES (1, 1)");
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(path.string() + "-wal") == 0600);
  const auto pragma = [&](std::string_view sql) {
    auto query = database.prepare(sql);
    REQUIRE(query.step());
    return query.string(0);
  };
  CHECK(pragma("PRAGMA journal_mode") == "wal");
  CHECK(pragma("PRAGMA synchronous") == "2");
  CHECK(pragma("PRAGMA foreign_keys") == "1");
}

TEST_CASE("error kinds are distinguished") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "db";
  const auto failing = [](auto action) {
    try {
      action();
    } catch (const sqlite::Error& error) {
      return error;
    }
    return sqlite::Error(SQLITE_OK, "");
  };
  const auto missing = failing([&] { Database database(folder.path() / "none" / "db"); });
  CHECK(missing.cannot_write());
  CHECK(std::string(missing.what()).find("none") != std::string::npos);

  Database database(path);
  database.execute("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)");
  const auto twice = failing([&] { database.execute("INSERT INTO t VALUES (1)"); });
  CHECK(twice.code() == SQLITE_CONSTRAINT_UNIQUE);
  CHECK_FALSE(twice.cannot_write());
  CHECK_FALSE(twice.busy());

  database.execute("PRAGMA max_page_count = 10");
  const auto full = failing(
      [&] { database.prepare("INSERT INTO t VALUES (?1)").bind(std::string(100'000, 'x')).run(); });
  CHECK(full.cannot_write());
  CHECK(count(database) == 1);

  Database other(path);
  other.execute("PRAGMA busy_timeout = 1");
  const Transaction held(database);
  const auto busy = failing([&] { Transaction transaction(other); });
  CHECK(busy.busy());
  CHECK_FALSE(busy.cannot_write());

  const auto garbage = folder.path() / "garbage";
  std::ofstream(garbage) << std::string(5000, 'x');
  const auto no_database = failing([&] { Database opened(garbage); });
  CHECK(no_database.code() == SQLITE_NOTADB);
  CHECK_THROWS_AS(Database{"/"}, sqlite::Error);
}

TEST_CASE("a commit by another connection is noticed") {
  const test::TemporaryFolder folder;
  Database first(folder.path() / "db");
  Database second(folder.path() / "db");
  first.execute(schema);
  const auto before = first.data_version();
  CHECK(first.data_version() == before);
  second.execute("INSERT INTO t VALUES (1, 1)");
  CHECK(first.data_version() != before);
}

TEST_CASE("reopening a database keeps this process's locks") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "db";
  // Fork first: the child must not inherit SQLite's own list of this process's locks.
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    char go = 0;
    if (::read(ends[0], &go, 1) != 1) ::_exit(1);
    std::optional<Database>(std::in_place, path).reset();
    ::_exit(0);
  }
  Database first(path);
  first.execute(schema);
  std::optional<Database>(std::in_place, path).reset();
  CHECK(::write(ends[1], "x", 1) == 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  ::close(ends[0]);
  ::close(ends[1]);
  // The last connection to close deletes the log; the other process must see that it is not the
  // last.
  CHECK(std::filesystem::exists(path.string() + "-wal"));
}

TEST_CASE("several processes open a new database at once and write to it") {
  for (int round = 0; round < 4; ++round) {
    const test::TemporaryFolder folder;
    const auto path = folder.path() / "db";
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        int code = 1;
        try {
          // A busy machine may take long for 60 commits.
          Database database(path, std::chrono::seconds(60));
          database.execute(schema);
          for (int n = 0; n < 10; ++n) {
            database.prepare("INSERT INTO t VALUES (?1, ?2)").bind(i, n).run();
          }
          code = 0;
        } catch (const sqlite::Error& error) {
          code = error.code() & 0x7F;
        }
        ::_exit(code);
      }
      children.push_back(child);
    }
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      CHECK(WEXITSTATUS(status) == 0);
    }
    Database database(path);
    CHECK(count(database) == 60);
  }
}

TEST_CASE("a read-only database shows its content and changes nothing") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "a db?#%";
  std::optional<Database> writer(std::in_place, path);
  writer->execute(schema);
  writer->execute("INSERT INTO t VALUES (1, 2)");
  {
    Database reader(path, Database::ReadOnly());
    CHECK(count(reader) == 1);
    CHECK_THROWS_AS(reader.execute("DELETE FROM t"), const sqlite::Error&);
    Transaction beside(*writer);
    writer->execute("INSERT INTO t VALUES (3, 4)");
    CHECK(count(reader) == 1);
    beside.commit();
    CHECK(count(reader) == 2);
  }
  writer.reset();
  Database reader(path, Database::ReadOnly());
  CHECK(count(reader) == 2);
  CHECK_THROWS_AS(reader.execute("DELETE FROM t"), const sqlite::Error&);
  CHECK_FALSE(std::filesystem::exists(path.string() + "-wal"));
  CHECK_THROWS_AS(Database(folder.path() / "none", Database::ReadOnly()), const sqlite::Error&);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "none"));
}

TEST_CASE("sqlite: the SQL text need not outlive prepare") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  for (int i = 0; i < 100; ++i) {
    const std::string sql = "SELECT " + std::string(60, ' ') + std::to_string(i % 3);
    auto statement = database.prepare(sql);
    REQUIRE(statement.step());
    CHECK(statement.integer(0) == i % 3);
  }
}

TEST_CASE("sqlite: release_memory frees memory and keeps open statements usable") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  database.execute(schema);
  for (int i = 0; i < 20; ++i) {
    database.prepare("INSERT INTO t VALUES(?1, " + std::to_string(i) + ")").bind(i).run();
  }
  CHECK(count(database) == 20);
  const std::int64_t before = sqlite3_memory_used();
  auto query = database.prepare("SELECT a FROM t ORDER BY a DESC");
  REQUIRE(query.step());
  database.release_memory();
  CHECK(sqlite3_memory_used() < before - std::int64_t{20} * 1024);
  REQUIRE(query.step());
  CHECK(query.integer(0) == 18);
  CHECK(count(database) == 20);
}
