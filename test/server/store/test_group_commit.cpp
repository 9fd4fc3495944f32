// Requests that are ready in one turn of the loop share a commit.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite/sqlite.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::Platform;

namespace {

const std::string message = R"({"method":"m","params":{"message":{"parts":[]}}})";

struct Fixture {
  Platform platform;
  /// Another connection, which sees what is durable.
  sqlite::Database database{platform.folder.path / "platform.db"};
  Member own = platform.add("own");
  std::vector<std::optional<int>> statuses;

  static awaitable<void> ask(Fixture& fixture, server::Request request, std::size_t index) {
    const server::Reply reply = co_await fixture.platform.router.handle(std::move(request));
    fixture.statuses[index] = reply.status;
  }
  void start(const char* method, const std::string& path, std::string_view body = "") {
    server::Request request;
    request.method = method;
    request.path = path;
    request.headers.emplace_back("Authorization", "Bearer " + platform.admin);
    request.body = body;
    statuses.emplace_back();
    asio::co_spawn(platform.loop, ask(*this, std::move(request), statuses.size() - 1),
                   [](const std::exception_ptr& error) {
                     if (error) std::rethrow_exception(error);
                   });
  }
  bool done() const {
    return std::ranges::all_of(statuses, [](const auto& status) { return status.has_value(); });
  }
  /// Runs the loop to the end of all requests. Returns the number of commits.
  int finish() {
    int commits = 0;
    std::int64_t version = database.data_version();
    platform.loop.restart();
    while (!done()) {
      REQUIRE(platform.loop.run_one_for(std::chrono::seconds(20)) == 1);
      const std::int64_t now = database.data_version();
      if (now != version) ++commits;
      version = now;
    }
    return commits;
  }
};

}  // namespace

TEST_CASE("requests of one turn share a commit, and a failed one undoes only its own part") {
  Fixture fixture;
  const std::string inbox = test::path_of(fixture.own, "/a2a");
  fixture.start("POST", inbox, message);
  fixture.start("POST", inbox, "no JSON");
  fixture.start("POST", "/workspaces", R"({"name":"made","external":true})");
  fixture.start("POST", inbox, message);
  CHECK(fixture.finish() == 1);
  CHECK(fixture.statuses == std::vector<std::optional<int>>{200, 400, 201, 200});
  CHECK(fixture.platform.count("SELECT count(*) FROM activity") == 2);
  CHECK(fixture.platform.count("SELECT count(*) FROM workspaces") == 2);
}

TEST_CASE("only failed requests leave no transaction open") {
  Fixture fixture;
  fixture.start("POST", test::path_of(fixture.own, "/a2a"), "no JSON");
  CHECK(fixture.finish() == 0);
  fixture.database.execute("BEGIN IMMEDIATE");
  fixture.database.execute("ROLLBACK");
}

TEST_CASE("a read beside a write tells only of what is durable") {
  Fixture fixture;
  const auto durable = [&] {
    auto row = fixture.database.prepare("SELECT count(*) FROM activity");
    REQUIRE(row.step());
    return row.integer(0);
  };
  for (int i = 0; i < 50; ++i) {
    const std::int64_t before = durable();
    fixture.start("POST", test::path_of(fixture.own, "/a2a"), message);
    const auto shown =
        fixture.platform.get(test::path_of(fixture.own, "/activity"), fixture.platform.admin);
    CHECK(shown.status == 200);
    CHECK(shown.items().size() >= before);
    CHECK(shown.items().size() <= durable());
    fixture.finish();
    CHECK(durable() == before + 1);
  }
}

TEST_CASE("a read that is under way does not keep later ones from what was answered since") {
  Fixture fixture;
  Platform& platform = fixture.platform;
  platform.add("first");
  platform.add("second");
  // One row of several is read: the statement is under way.
  const auto session = platform.store->session();
  server::store::RowStream older = session->stream("SELECT id FROM workspaces");
  REQUIRE(test::run(platform.loop, older.next()));
  for (std::int64_t i = 1; i <= 3; ++i) {
    CHECK(platform.post(test::path_of(fixture.own, "/a2a"), platform.admin, message).status == 200);
    CHECK(platform.count("SELECT count(*) FROM activity") == i);
  }
  CHECK(test::run(platform.loop, older.next()));
}

TEST_CASE("a write waits for another process, and nothing else does") {
  Fixture fixture;
  Platform& platform = fixture.platform;
  fixture.database.execute("BEGIN IMMEDIATE");
  fixture.start("POST", test::path_of(fixture.own, "/a2a"), message);
  const auto start = std::chrono::steady_clock::now();
  CHECK(platform.get(test::path_of(fixture.own, "/activity"), platform.admin).status == 200);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  CHECK_FALSE(fixture.statuses[0]);
  fixture.database.execute("ROLLBACK");
  fixture.finish();
  CHECK(fixture.statuses[0] == 200);
}

TEST_CASE("a group that grows takes in what the next turn of the loop brings") {
  Fixture fixture;
  const std::string inbox = test::path_of(fixture.own, "/a2a");
  fixture.start("POST", inbox, message);
  fixture.start("POST", inbox, message);
  // Comes while the group is open, as the rest of a crowd does.
  asio::post(fixture.platform.loop, [&] {
    asio::post(fixture.platform.loop, [&] { fixture.start("POST", inbox, message); });
  });
  CHECK(fixture.finish() == 1);
  CHECK(fixture.statuses.size() == 3);
}

TEST_CASE("the log is moved into the database before it grows long, and when nothing happens") {
  Fixture fixture;
  const std::string inbox = test::path_of(fixture.own, "/a2a");
  const auto log_bytes = [&] {
    return std::filesystem::file_size(fixture.platform.folder.path / "platform.db-wal");
  };
  const auto checkpoints = [&] {
    return fixture.platform.store->metrics().checkpoint_seconds.count();
  };
  const std::string large =
      R"({"method":"m","params":{"message":{"parts":[{"kind":"text","text":")" +
      std::string(100'000, 'x') + R"("}]}}})";
  for (int i = 0; i < 100; ++i) {
    fixture.start("POST", inbox, large);
    fixture.finish();
  }
  CHECK(checkpoints() >= 2);
  CHECK(log_bytes() < 2 * 1000 * 4096);
  const auto use_idle_time = [&] {
    fixture.platform.loop.restart();
    fixture.platform.store->use_idle_time();
    fixture.platform.loop.run();  // until the thread has nothing to do
  };
  fixture.start("POST", inbox, message);
  fixture.finish();
  const std::uint64_t before = checkpoints();
  use_idle_time();  // it was busy until now
  CHECK(checkpoints() == before);
  use_idle_time();
  CHECK(checkpoints() == before + 1);
  use_idle_time();  // nothing is left
  CHECK(checkpoints() == before + 1);
}

TEST_CASE("waits for the disk are counted") {
  Platform platform;
  const Member own = platform.add("own");
  const std::uint64_t before = platform.store->metrics().sync_seconds.count();
  platform.post(test::path_of(own, "/a2a"), platform.admin,
                R"({"method":"m","params":{"message":{"parts":[]}}})");
  CHECK(platform.store->metrics().sync_seconds.count() > before);
}

TEST_CASE("a commit to a file that was removed is no success") {
  Fixture fixture;
  const std::string inbox = test::path_of(fixture.own, "/a2a");
  fixture.start("POST", inbox, message);
  fixture.finish();  // the file was looked at just now
  std::filesystem::remove(fixture.platform.folder.path / "platform.db");
  fixture.start("POST", inbox, message);
  fixture.finish();
  CHECK(fixture.statuses.back() == 503);
}

TEST_CASE("a store may be closed while a commit is under way") {
  const auto write = [](server::store::Session& session) -> awaitable<void> {
    co_await session.begin();
    co_await session.execute("INSERT INTO platform_facts(name, value) VALUES ('a', 'b')");
    co_await session.commit();
  };
  for (int i = 0; i < 20; ++i) {
    const test::Folder folder;
    const std::filesystem::path file = folder.path / "platform.db";
    {
      asio::io_context loop;
      const auto store = server::store::open(file);
      const auto session = store->session();
      asio::co_spawn(loop, write(*session), [](const std::exception_ptr&) {});
      // The thread has the commit after a few turns of the loop.
      for (int turn = 0; turn < 10; ++turn) loop.poll_one();
      store->stop();
    }
    asio::io_context loop;
    const auto store = server::store::open(file);
    const auto session = store->session();
    auto row = test::run(loop, session->query("SELECT value FROM platform_facts"
                                              " WHERE name = 'a'"));
    CHECK(row.next());
  }
}
