// Heartbeats that change nothing but the time wait in memory (platform-api.md 9.8).

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::Platform;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  Platform platform;
  Member own = platform.add("own");

  void beat(std::string_view more = "") {
    const auto answer = platform.post(
        "/registry/heartbeat", own.token,
        R"({"workspace_id":")" + own.id + R"(","uptime_seconds":7)" + std::string(more) + "}");
    REQUIRE(answer.status == 200);
  }
  std::int64_t stored(const char* column) {
    return platform.database.count(std::string("SELECT ") + column +
                                   " FROM workspaces WHERE id = '" + own.id + "'");
  }
  std::int64_t stored_at() { return stored("coalesce(last_heartbeat_at, 0)"); }
  std::string shown(std::string_view field) {
    const auto answer = platform.get(test::path_of(own, ""), "");
    return std::string(answer[field].string_or(""));
  }
  std::string status() { return shown("status"); }
  void write() { test::run(platform.loop, platform.services.presence.write(*platform.store)); }
};

}  // namespace

TEST_CASE("a heartbeat that changes nothing is seen at once and stored later") {
  Fixture fixture;
  fixture.beat();  // mints the inbound secret, which is kept at once
  const std::int64_t first = fixture.stored_at();
  CHECK(first > 0);
  const std::string first_shown = fixture.shown("last_heartbeat_at");
  fixture.platform.clock.advance(20s);
  fixture.beat(R"(,"error_rate":0)");
  CHECK(fixture.stored_at() == first);
  CHECK(fixture.shown("last_heartbeat_at") > first_shown);
  const auto overview = fixture.platform.get("/page/overview", fixture.platform.admin);
  CHECK(overview["agents"].items().at(0)["last_heartbeat_at"].string_or("") ==
        fixture.shown("last_heartbeat_at"));
  CHECK(fixture.platform.services.presence.unsaved() == 1);
  fixture.write();
  CHECK(fixture.platform.services.presence.unsaved() == 0);
  CHECK(fixture.stored_at() > first);
  CHECK(fixture.stored("uptime_seconds") == 7);
}

TEST_CASE("whatever else a heartbeat says is stored at once") {
  for (const char* more :
       {R"(,"error_rate":0.7)", R"(,"active_tasks":2)", R"(,"current_task":"thinking")",
        R"(,"sample_error":"oh")", R"(,"monthly_spend":5)", R"(,"runtime_state":"wedged")",
        R"(,"loaded_mcp_tools":["a"])", R"(,"mcp_server_present":true)",
        R"(,"agent_card":{"name":"n"})"}) {
    CAPTURE(more);
    Fixture fixture;
    fixture.beat();
    const std::int64_t before = fixture.stored_at();
    fixture.platform.clock.advance(20s);
    fixture.beat(more);
    CHECK(fixture.stored_at() > before);
    CHECK(fixture.platform.services.presence.unsaved() == 0);
  }
}

TEST_CASE("a repeated state is not written again") {
  Fixture fixture;
  const char* busy =
      R"(,"active_tasks":2,"current_task":"thinking","monthly_spend":5,"loaded_mcp_tools":["a"],)"
      R"("mcp_server_present":true,"agent_card":{"name":"n"})";
  fixture.beat(busy);
  const std::int64_t before = fixture.stored_at();
  fixture.platform.clock.advance(20s);
  fixture.beat(busy);
  CHECK(fixture.stored_at() == before);
  CHECK(fixture.platform.services.presence.unsaved() == 1);
}

TEST_CASE("the sweep counts silence from the last heartbeat, stored or not") {
  Fixture fixture;
  fixture.beat();
  fixture.platform.clock.advance(80s);
  fixture.beat();
  REQUIRE(fixture.platform.services.presence.unsaved() == 1);
  fixture.platform.clock.advance(80s);
  fixture.platform.sweep(0);
  CHECK(fixture.status() == "online");
  fixture.platform.clock.advance(11s);
  fixture.platform.sweep(0);
  CHECK(fixture.status() == "awaiting_agent");
}

TEST_CASE("a heartbeat after silence brings the workspace back at once") {
  Fixture fixture;
  fixture.beat();
  fixture.platform.clock.advance(100s);
  fixture.platform.sweep(0);
  REQUIRE(fixture.status() == "awaiting_agent");
  fixture.beat();
  CHECK(fixture.status() == "online");
  fixture.platform.sweep(0);
  CHECK(fixture.status() == "online");
}

TEST_CASE("a newer time in the store wins") {
  Fixture fixture;
  fixture.beat();
  fixture.platform.clock.advance(20s);
  fixture.beat();
  const std::int64_t newer = fixture.stored_at() + 60'000'000;
  fixture.platform.set(fixture.own, ("last_heartbeat_at = " + std::to_string(newer)).c_str());
  fixture.write();
  CHECK(fixture.stored_at() == newer);
  CHECK(fixture.platform.services.presence.unsaved() == 0);
}

TEST_CASE("what could not be written is kept for the next time") {
  Fixture fixture;
  fixture.beat();
  fixture.platform.clock.advance(20s);
  fixture.beat();
  const std::int64_t before = fixture.stored_at();
  fixture.platform.database.execute("ALTER TABLE workspaces RENAME TO hidden");
  CHECK_THROWS_AS(fixture.write(), server::StoreError);
  CHECK(fixture.platform.services.presence.unsaved() == 1);
  fixture.platform.database.execute("ALTER TABLE hidden RENAME TO workspaces");
  fixture.write();
  CHECK(fixture.stored_at() > before);
}

TEST_CASE("many workspaces are written in several transactions") {
  Platform platform;
  constexpr int count = 600;
  std::vector<Member> members;
  for (int i = 0; i < count; ++i) {
    members.push_back(platform.add("w" + std::to_string(i)));
    platform.services.presence.heard(members.back().id, {.at = i + 1, .uptime_seconds = i});
  }
  const std::uint64_t before = platform.store->metrics().commit_seconds.count();
  test::run(platform.loop, platform.services.presence.write(*platform.store));
  CHECK(platform.store->metrics().commit_seconds.count() - before == 3);
  CHECK(platform.count("SELECT count(*) FROM workspaces WHERE last_heartbeat_at = uptime_seconds + "
                       "1") == count);
}
