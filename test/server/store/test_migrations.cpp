#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/sqlite/sqlite.hpp"
#include "server/platform.hpp"
#include "server/store/sqlite/migrations.hpp"

using namespace molecule;
using server::StoreError;
using server::store::Migration;
using test::Folder;
using test::Platform;

namespace {

const std::filesystem::path old_store = MOLECULE_OLD_STORE;

/// The error of `open`, or "" if it succeeds.
std::string problem(const Folder& folder) {
  try {
    server::store::open(folder.path / "platform.db");
    return "";
  } catch (const StoreError& error) {
    return error.what();
  }
}

/// "" for a table that does not exist.
std::string versions(const std::filesystem::path& file) {
  sqlite::Database database(file);
  auto table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'");
  if (!table.step()) return "";
  auto row = database.prepare("SELECT group_concat(version || ' ' || name) FROM schema_migrations");
  row.step();
  return row.string(0);
}

std::string find_id(const test::Answer& workspaces, std::string_view name) {
  for (const json::Value& item : workspaces.items()) {
    if (item["name"].string() == name) return std::string(item["id"].string_or(""));
  }
  return "";
}

}  // namespace

TEST_CASE("a store of 0.1.0 opens, and everything in it can be read") {
  Platform platform(old_store);
  CHECK(versions(platform.folder.path / "platform.db") ==
        "1 initial,2 abilities_and_quotas,3 page");
  const auto workspaces = platform.get("/workspaces", platform.admin);
  const std::string lead = find_id(workspaces, "lead");
  const std::string worker = find_id(workspaces, "worker");
  CHECK(workspaces.items().size() == 2);
  const auto get = [&](const std::string& id, const std::string& rest) {
    return platform.get("/workspaces/" + id + rest, platform.admin);
  };
  CHECK(get(worker, "")["parent_id"].string() == lead);
  CHECK(get(worker, "")["agent_card"]["name"].string() == "worker");
  const auto inbox = get(worker, "/activity?type=a2a_receive");
  CHECK(inbox.items().size() == 7);  // 3 messages, the user's, a notification, a task, an upload
  CHECK(inbox.text.find("message 2") != std::string::npos);
  CHECK(get(worker, "/chat-history").text.find("from the person") != std::string::npos);
  CHECK(get(lead, "/delegations").items().size() == 2);
  CHECK(get(lead, "/memories?q=treasure").items().size() == 3);
  CHECK(get(worker, "/memories?q=elm&scope=TEAM").items().size() == 1);
  CHECK(get(worker, "/memory/depth")["value"]["metres"].integer() == 4);
  CHECK(get(worker, "/memory/depth")["version"].integer() == 2);
  CHECK(get(lead, "/budget")["budget_limit"].integer() == 500);
  CHECK(get(worker, "/tokens").items().size() == 0);
  CHECK(get(worker, "/tokens")["count"].integer() == 1);
  CHECK(platform.count("SELECT sum(messages) FROM workspace_usage") ==
        platform.count("SELECT count(*) FROM activity"));
  CHECK(platform.count("SELECT sum(memory_bytes) FROM workspace_usage") > 0);
  CHECK(platform.count("SELECT count(*) FROM activity WHERE bytes < 200") == 0);
  CHECK(get(lead, "/memories?q=treas").items().size() == 3);
  CHECK(platform.count("SELECT last_acked_seq FROM workspaces WHERE name = 'worker'") == 2);
  CHECK(platform.count("SELECT size FROM pending_uploads") == 1);
  CHECK(platform.get("/events", platform.admin).items().size() == 11);

  const auto sent = platform.post("/workspaces/" + worker + "/a2a", platform.admin,
                                  R"({"method":"m","params":{"message":{"parts":[]}}})");
  CHECK(sent.status == 200);
  CHECK(get(worker, "/activity?type=a2a_receive").items().size() == 8);
}

TEST_CASE("a store that a newer program wrote is refused, and so is one with another history") {
  const Folder folder;
  CHECK(problem(folder) == "");
  CHECK(problem(folder) == "");
  const std::filesystem::path file = folder.path / "platform.db";
  {
    sqlite::Database database(file);
    database.execute("INSERT INTO schema_migrations VALUES (99, 'later', 'x', 0)");
  }
  CHECK(problem(folder).find("newer molecule-platform") != std::string::npos);
  {
    sqlite::Database database(file);
    database.execute("DELETE FROM schema_migrations WHERE version = 99");
    database.execute("UPDATE schema_migrations SET hash = 'x'");
  }
  CHECK(problem(folder).find("another build") != std::string::npos);
}

TEST_CASE("a step that fails leaves the store as it was") {
  const Folder folder(old_store);
  const std::filesystem::path file = folder.path / "platform.db";
  std::vector<Migration> steps = server::store::sqlite::migrations();
  steps.push_back({.version = static_cast<std::int64_t>(steps.size()) + 1,
                   .name = "broken",
                   .hash = "x",
                   .sql = "ALTER TABLE workspaces ADD COLUMN more TEXT; SELECT nonsense;"});
  {
    sqlite::Database database(file);
    CHECK_THROWS_AS(server::store::migrate(database, steps), sqlite::Error);
  }
  CHECK(versions(file) == "");
  {
    sqlite::Database database(file);
    CHECK_THROWS_AS(database.prepare("SELECT more FROM workspaces"), sqlite::Error);
  }
  CHECK(problem(folder) == "");
}

TEST_CASE("a process that dies in the middle of a step leaves the store as it was") {
  const Folder folder(old_store);
  const std::filesystem::path file = folder.path / "platform.db";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    sqlite::Database database(file);
    database.execute("BEGIN IMMEDIATE");
    database.execute(
        "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT,"
        " hash TEXT, applied_at INTEGER)");
    database.execute("DROP TABLE memories");
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(versions(file) == "");
  Platform platform(file);
  CHECK(platform.count("SELECT count(*) FROM memories") == 3);
}

TEST_CASE("of many processes that start at once, one migrates") {
  for (const bool is_old : {false, true}) {
    const Folder folder(is_old ? old_store : std::filesystem::path());
    std::vector<std::string> problems(8);
    {
      std::vector<std::jthread> starters;
      for (std::string& said : problems) {
        starters.emplace_back([&folder, &said] { said = problem(folder); });
      }
    }
    for (const std::string& said : problems) CHECK(said == "");
    CHECK(versions(folder.path / "platform.db") == "1 initial,2 abilities_and_quotas,3 page");
  }
}
