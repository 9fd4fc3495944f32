#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include "base/sqlite/sqlite.hpp"
#include "files/faulty_calls.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using sqlite::Database;
using test::FaultyCalls;
namespace fs = std::filesystem;

namespace {

constexpr const char* schema = "CREATE TABLE IF NOT EXISTS t (a)";

std::string journal(Database& database) {
  auto row = database.prepare("PRAGMA journal_mode");
  REQUIRE(row.step());
  return row.string(0);
}

std::int64_t count(Database& database) {
  auto row = database.prepare("SELECT count(*) FROM t");
  REQUIRE(row.step());
  return row.integer(0);
}

void copy_with_log(const fs::path& from, const fs::path& to) {
  fs::create_directory(to);
  for (const char* name : {"db", "db-wal"}) fs::copy_file(from / name, to / name);
}

}  // namespace

TEST_CASE("fault B1: a database notices that its file was removed or replaced") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "db";
  for (const char* ending : {"", "-wal", "-shm"}) {
    CAPTURE(ending);
    Database database(path);
    database.execute(schema);
    database.execute("INSERT INTO t VALUES (1)");
    CHECK_FALSE(database.replaced());
    {
      Database other(path);
      other.execute("INSERT INTO t VALUES (2)");
    }
    CHECK_FALSE(database.replaced());
    const fs::path file = path.string() + ending;
    fs::rename(file, folder.path() / "kept");
    CHECK(database.replaced());
    std::ofstream(file) << "";
    CHECK(database.replaced());
    fs::rename(folder.path() / "kept", file);
    CHECK_FALSE(database.replaced());
  }
  const fs::path inner = folder.path() / "inner";
  fs::create_directory(inner);
  Database database(inner / "db");
  fs::remove_all(inner);
  CHECK(database.replaced());
}

TEST_CASE("fault B3: without shared memory a rollback journal is used") {
  const test::TemporaryFolder folder;
  const FaultyCalls faults({.shared_memory = ENODEV});
  Database a(folder.path() / "db");
  Database b(folder.path() / "db");
  CHECK(journal(a) == "truncate");
  a.execute(schema);
  a.execute("INSERT INTO t VALUES (1)");
  const std::int64_t version = b.data_version();
  b.execute("INSERT INTO t VALUES (2)");
  a.execute("INSERT INTO t VALUES (3)");
  CHECK(b.data_version() != version);
  CHECK(count(b) == 3);
  Database looks(folder.path() / "db", Database::ReadOnly());
  CHECK(count(looks) == 3);
}

TEST_CASE("fault B3: a log left by a system with shared memory is read") {
  const test::TemporaryFolder folder;
  const fs::path there = folder.path() / "there";
  {
    Database writes(folder.path() / "db");
    CHECK(journal(writes) == "wal");
    writes.execute(schema);
    writes.execute("INSERT INTO t VALUES (1), (2)");
    copy_with_log(folder.path(), there);
  }
  {
    const FaultyCalls faults({.shared_memory = ENOSYS});
    Database database(there / "db");
    CHECK(journal(database) == "truncate");
    CHECK(count(database) == 2);
    database.execute("INSERT INTO t VALUES (3)");
  }
  Database database(there / "db");
  CHECK(journal(database) == "wal");
  CHECK(count(database) == 3);
}

TEST_CASE("fault B2: a file system without locks is reported as such, not as busy") {
  const test::TemporaryFolder folder;
  const FaultyCalls faults({.all_locks = ENOLCK});
  try {
    Database database(folder.path() / "db", std::chrono::milliseconds(10));
    database.execute(schema);
    FAIL("it opened");
  } catch (const sqlite::Error& error) {
    CHECK_FALSE(error.busy());
    CHECK(error.cannot_write());
    CHECK(std::string(error.what()).find(std::strerror(ENOLCK)) != std::string::npos);
  }
}

TEST_CASE("fault B8: a log that has grown is truncated") {
  const test::TemporaryFolder folder;
  const fs::path log = folder.path() / "db-wal";
  Database database(folder.path() / "db");
  database.execute(schema);
  const auto grow = [&database] {
    sqlite::Transaction transaction(database);
    for (int i = 0; i < 100; ++i) database.execute("INSERT INTO t VALUES (randomblob(100000))");
    transaction.commit();
  };
  {
    // It does not wait for readers of an old snapshot.
    Database reader(folder.path() / "db");
    reader.execute("BEGIN");
    CHECK(count(reader) == 0);
    grow();
    const auto begin = std::chrono::steady_clock::now();
    database.shrink_log();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
    CHECK(fs::file_size(log) > 8'000'000);
    reader.execute("COMMIT");
  }
  database.shrink_log();
  CHECK(fs::file_size(log) < 5'000'000);
  grow();
  for (int i = 0; i < 3; ++i) database.execute("INSERT INTO t VALUES (2)");
  CHECK(fs::file_size(log) < 5'000'000);
}

TEST_CASE("fault B9: a file-size limit is a full disk") {
  const test::TemporaryFolder folder;
  Database database(folder.path() / "db");
  database.execute(schema);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limit{.rlim_cur = 200'000, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::string said;
  bool full = false;
  try {
    database.execute("INSERT INTO t VALUES (randomblob(1000000))");
  } catch (const sqlite::Error& error) {
    said = error.what();
    full = error.cannot_write();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  CHECK(full);
  CHECK(said.find("full") != std::string::npos);
  CHECK(count(database) == 0);
}

TEST_CASE("fault D2: a database is a regular file, and private") {
  const test::TemporaryFolder folder;
  const fs::path path = folder.path() / "db";
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    CAPTURE(ending);
    const fs::path file = path.string() + ending;
    fs::create_symlink(folder.path() / "absent", file);
    CHECK_THROWS_AS(Database{path}, sqlite::Error);
    CHECK_FALSE(fs::exists(folder.path() / "absent"));
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK_THROWS_AS(Database{path}, sqlite::Error);
    CHECK_THROWS_AS(Database(path, Database::ReadOnly()), sqlite::Error);
    fs::remove(file);
    fs::remove(path);
  }
  std::ofstream(path) << "";
  ::chmod(path.c_str(), 0644);
  Database database(path);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}
