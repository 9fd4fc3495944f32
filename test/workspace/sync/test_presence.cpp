#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/json/reader.hpp"
#include "workspace/fixture.hpp"
#include "workspace/sync/presence.hpp"

using namespace molecule;
using namespace molecule::workspace;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const std::string register_call = "POST /registry/register";
const std::string heartbeat_call = "POST /registry/heartbeat";
const std::string ok = R"({"status":"ok"})";
const std::string card = R"({"name":"Ann","skills":[]})";

struct Fixture : test::Fixture {
  Event any_changed{clock};
  Changes changes{clock, any_changed};
  Workload workload{changes.event()};
  std::vector<std::string> rejections;
  Inbox inbox{folder.path(), clock, test::timing};
  OwnerRole owner_role{test::self_id, inbox, folder.path(), clock};
  Removal removal{client};
  Event token_refused{clock};
  Presence presence{{client, inbox, owner_role, credentials, removal, changes, clock, test::timing},
                    [this] { return workload.load(); },
                    [] { return card; },
                    token_refused};

  ~Fixture() { end_tasks(); }

  void start_register() { tasks.spawn("register", register_workspace()); }
  awaitable<void> register_workspace() {
    auto rejected = co_await presence.register_workspace();
    if (rejected) rejections.push_back(*rejected);
  }
  void start_heartbeats() { tasks.spawn("heartbeat", send_heartbeats()); }
  awaitable<void> send_heartbeats() {
    co_await presence.send_heartbeats();
    ++ended;
  }
  int ended = 0;
  /// Registered, and the first heartbeat was answered.
  void come_online() {
    server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
    start_register();
    start_heartbeats();
    until_count(heartbeat_call, 1);
  }
  std::string secret() const {
    std::ifstream file(folder.path() / ".platform_inbound_secret");
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

json::Document parsed(const std::string& text) {
  json::Document document;
  REQUIRE(document.parse(text).ok());
  return document;
}

double seconds_between(Clock::time_point a, Clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

awaitable<void> ask_for_peers(platform::Client& client) {
  auto peers = co_await client.peers();
  CHECK(peers.ok());
}

awaitable<void> ask_for_activity(platform::Client& client) {
  platform::ActivityQuery query;
  auto page = co_await client.activity(query);
  CHECK(page.ok());
}

awaitable<void> ask_for_info(platform::Client& client) {
  auto info = co_await client.workspace_info();
  CHECK(info.ok());
}

}  // namespace

TEST_CASE("escalation: 1st and 2nd warn, 3rd is an error, and every 20th after it") {
  Escalation escalation;
  std::vector<unsigned> errors;
  std::vector<unsigned> warnings;
  for (unsigned i = 1; i <= 64; ++i) {
    switch (escalation.rejected()) {
      case Escalation::Say::error:
        errors.push_back(i);
        break;
      case Escalation::Say::warning:
        warnings.push_back(i);
        break;
      case Escalation::Say::nothing:
        break;
    }
  }
  CHECK(errors == std::vector<unsigned>{3, 23, 43, 63});
  CHECK(warnings == std::vector<unsigned>{1, 2});
  escalation.accepted();
  CHECK(escalation.rejected() == Escalation::Say::warning);
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: registers for polling, stores the secret, then sends heartbeats") {
  server.answer(register_call, 200,
                R"({"status":"registered","delivery_mode":"poll","platform_inbound_secret":"s1"})");
  server.answer(heartbeat_call, 200, R"({"status":"ok","platform_inbound_secret":"s2"})");
  start_register();
  start_heartbeats();
  until_count(heartbeat_call, 1);
  const json::Document body = parsed(server.requests(register_call).at(0).body);
  CHECK(body.root()["id"].string() == test::self_id);
  CHECK(body.root()["url"].string() == "");
  CHECK(body.root()["delivery_mode"].string() == "poll");
  CHECK(body.root()["agent_card"].dump() == card);
  CHECK(server.requests().at(0).path() == "/registry/register");
  CHECK(credentials.token() == "first-token");
  CHECK(secret() == "s2");
  CHECK(count(register_call) == 1);
}

TEST_CASE_FIXTURE(Fixture, "fault F1: a token issued at register replaces the dead one") {
  const test::Stderr stderr_text;
  server.answer(register_call, 200,
                R"({"status":"registered","delivery_mode":"poll","auth_token":"issued-token"})");
  server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
  server.answer(heartbeat_call, 200, ok);
  start_register();
  start_heartbeats();
  tasks.spawn("register again", presence.register_again());
  until_count(heartbeat_call, 1);
  CHECK(server.requests(register_call).at(0).header("Authorization") == "Bearer first-token");
  CHECK(server.requests(heartbeat_call).at(0).header("Authorization") == "Bearer issued-token");
  CHECK(stderr_text.said("has issued a new one for workspace " + test::self_id) == 1);
  CHECK(stderr_text.said("first-token") == 0);
  CHECK(stderr_text.said("issued-token") == 0);
  // Once: another register brings none.
  token_refused.notify_all();
  until_count(register_call, 2);
  until_count(heartbeat_call, 2);
  CHECK(stderr_text.said("has issued a new one") == 1);
  workspace::Credentials next{{test::environment_of({{"MOLECULE_WORKSPACE_TOKEN", "first-token"}})},
                              folder.path()};
  REQUIRE(next.require().ok());
  CHECK(next.token() == "issued-token");
}

TEST_CASE_FIXTURE(Fixture, "fault F2: a register after refused polls brings a new token") {
  server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
  server.answer(register_call, 401, R"({"error":"invalid workspace auth token"})");
  server.answer(register_call, 200,
                R"({"status":"registered","delivery_mode":"poll","auth_token":"issued-token"})");
  server.answer(heartbeat_call, 200, ok);
  start_register();
  start_heartbeats();
  tasks.spawn("register again", presence.register_again());
  until_count(heartbeat_call, 1);
  token_refused.notify_all();
  until_count(register_call, 2);
  CHECK(rejections.empty());
  token_refused.notify_all();
  until_count(register_call, 3);
  until_count(heartbeat_call, 2);
  CHECK(credentials.token() == "issued-token");
}

TEST_CASE_FIXTURE(Fixture,
                  "fault F9: of a workspace that exists it is not said that it was deleted") {
  const test::Stderr stderr_text;
  server.answer("GET /workspaces/" + test::self_id, 200, R"({"id":"x","status":"online"})");
  server.answer(heartbeat_call, 200, ok);
  server.answer(heartbeat_call, 401, "{}");
  come_online();
  until_count(heartbeat_call, 4);
  CHECK(stderr_text.said("error: ") == 1);
  CHECK(stderr_text.said("workspace " + test::self_id + " still exists") == 1);
  CHECK(stderr_text.said("Tokens tab) into " + (folder.path() / "token").string()) == 1);
  CHECK(stderr_text.said("no restart is needed") == 1);
  CHECK(stderr_text.said("deleted") == 0);
  const auto trouble = read_owner_record(folder.path()).value().trouble;
  REQUIRE(trouble);
  CHECK(trouble->next.find("no restart is needed") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "presence: a heartbeat every 20 s with the true values") {
  server.answer(heartbeat_call, 200, ok);
  come_online();
  std::optional<Workload::Task> first(std::in_place, workload, "delegating to Ben");
  std::optional<Workload::Task> second(std::in_place, workload, "delegating to Cid");
  const Clock::time_point start = clock.now();
  until_count(heartbeat_call, 2);
  CHECK(seconds_between(start, clock.now()) == doctest::Approx(20).epsilon(0.03));
  first.reset();
  until_count(heartbeat_call, 3);
  second.reset();
  until_count(heartbeat_call, 4);
  CHECK(seconds_between(start, clock.now()) == doctest::Approx(60).epsilon(0.03));
  std::vector<std::string> tasks_seen;
  std::vector<std::int64_t> counts;
  std::vector<std::int64_t> uptimes;
  for (const test::Received& request : server.requests(heartbeat_call)) {
    const json::Document body = parsed(request.body);
    tasks_seen.emplace_back(body.root()["current_task"].string_or("?"));
    counts.push_back(body.root()["active_tasks"].integer().value_or(-1));
    uptimes.push_back(body.root()["uptime_seconds"].integer().value_or(-1));
  }
  CHECK(tasks_seen == std::vector<std::string>{"", "delegating to Ben", "delegating to Cid", ""});
  CHECK(counts == std::vector<std::int64_t>{0, 2, 1, 0});
  CHECK(uptimes[0] == 0);
  CHECK(uptimes[3] >= 58);
}

TEST_CASE_FIXTURE(Fixture, "presence: a token that is rejected at the start ends it") {
  for (const int status : {401, 403}) {
    server.forget(register_call);
    server.answer(register_call, status, R"({"error":"invalid workspace auth token"})");
    const std::size_t before = rejections.size();
    start_register();
    until([&] { return rejections.size() > before; });
    CHECK(rejections.back().find(test::self_id) != std::string::npos);
    CHECK(rejections.back().find("Tokens tab") != std::string::npos);
    CHECK(rejections.back().find("first-token") == std::string::npos);
  }
  CHECK(count(heartbeat_call) == 0);
}

TEST_CASE_FIXTURE(Fixture, "presence: a token that was rotated meanwhile is tried first") {
  set_token("second-token");
  server.answer(register_call, 401, "{}");
  server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
  server.answer(heartbeat_call, 200, ok);
  start_register();
  start_heartbeats();
  until_count(heartbeat_call, 1);
  CHECK(rejections.empty());
  CHECK(server.requests(register_call).at(0).header("Authorization") == "Bearer first-token");
  CHECK(server.requests(register_call).at(1).header("Authorization") == "Bearer second-token");
}

TEST_CASE_FIXTURE(
    Fixture, "presence: register is tried until it succeeds, and heartbeats continue meanwhile") {
  const test::Stderr stderr_text;
  for (int i = 0; i < 8; ++i) server.answer(register_call, 500, "{}");
  server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
  const Clock::time_point start = clock.now();
  start_register();
  until_count(register_call, 2);
  CHECK(seconds_between(start, clock.now()) <= 1.25);
  CHECK(seconds_between(start, clock.now()) >= 0.75);
  until([&] { return count(register_call) >= 8; });
  // 1 + 2 + 4 + 8 + 16 + 30 + 30, each ±25 %.
  CHECK(seconds_between(start, clock.now()) >= 91 * 0.75);
  CHECK(seconds_between(start, clock.now()) <= 91 * 1.25);
  until([&] { return tasks.size() == 0; });
  CHECK(count(register_call) == 9);
  CHECK(rejections.empty());
  CHECK(stderr_text.said("register: ") == 8);
}

TEST_CASE_FIXTURE(Fixture, "presence: the first heartbeat follows the first failed register") {
  server.answer(register_call, 503, "{}");
  server.answer(heartbeat_call, 200, ok);
  const Clock::time_point start = clock.now();
  start_register();
  start_heartbeats();
  until([&] { return count(heartbeat_call) == 1; });
  CHECK(clock.now() == start);
}

TEST_CASE_FIXTURE(Fixture, "presence: a rejected register after a good heartbeat does not end it") {
  server.answer(register_call, 500, "{}");
  server.answer(register_call, 401, "{}");
  server.answer(heartbeat_call, 200, ok);
  start_register();
  start_heartbeats();
  until([&] { return count(register_call) >= 4; });
  CHECK(rejections.empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: a rejected register amid other accepted calls does not end it") {
  const test::Stderr stderr_text;
  server.answer("GET /registry/" + test::self_id + "/peers", 200, "[]");
  server.answer(register_call, 401, "{}");
  server.answer(heartbeat_call, 401, "{}");
  tasks.spawn("peers", ask_for_peers(client));
  until([&] { return client.accepted(); });
  start_register();
  start_heartbeats();
  until_count(heartbeat_call, 4);
  CHECK(rejections.empty());
  CHECK(stderr_text.said("rejected the token") == 2);
  CHECK(stderr_text.said("error: ") == 1);
  CHECK(stderr_text.said("register: ") == 0);
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: neither a public answer nor a poll makes a rejected token good") {
  server.answer("GET /workspaces/" + test::self_id, 200, R"({"id":"x"})");
  server.answer(register_call, 401, "{}");
  server.answer("GET /workspaces/" + test::self_id + "/activity", 200, "[]");
  tasks.spawn("info", ask_for_info(client));
  tasks.spawn("activity", ask_for_activity(client));
  until([&] { return tasks.size() == 0; });
  REQUIRE(server.requests().size() == 2);
  start_register();
  until([&] { return !rejections.empty(); });
  CHECK(rejections.at(0).find("MOLECULE_WORKSPACE_TOKEN_FILE (") != std::string::npos);
}

TEST_CASE_FIXTURE(Fixture, "presence: only rejections escalate, and a success resets the count") {
  const test::Stderr stderr_text;
  const auto answers = [&](int times, int status) {
    for (int i = 0; i < times; ++i) server.answer(heartbeat_call, status, ok);
  };
  answers(1, 200);
  answers(2, 401);
  answers(2, 500);
  answers(1, 429);
  answers(1, 403);
  answers(1, 200);
  answers(1, 401);
  answers(1, 200);
  come_online();
  until_count(heartbeat_call, 6);
  CHECK(stderr_text.said("error: ") == 0);
  CHECK(stderr_text.said("rejected the token") == 2);
  until_count(heartbeat_call, 7);
  CHECK(stderr_text.said("error: ") == 1);
  CHECK(stderr_text.said("revoked, probably because workspace " + test::self_id) == 1);
  CHECK(stderr_text.said("Tokens tab") == 1);
  until_count(heartbeat_call, 9);
  CHECK(stderr_text.said("rejected the token") == 3);
  CHECK(stderr_text.said("error: ") == 1);
}

TEST_CASE_FIXTURE(Fixture, "presence: with a rotated token the heartbeat is sent again at once") {
  server.answer(heartbeat_call, 200, ok);
  server.answer(heartbeat_call, 401, "{}");
  server.answer(heartbeat_call, 200, ok);
  come_online();
  set_token("second-token");
  const Clock::time_point first = clock.now();
  until_count(heartbeat_call, 3);
  CHECK(seconds_between(first, clock.now()) <= 21);
  CHECK(server.requests(heartbeat_call).at(2).header("Authorization") == "Bearer second-token");
}

TEST_CASE_FIXTURE(Fixture,
                  "presence: one failed heartbeat is made up for, a long outage slows down") {
  server.answer(heartbeat_call, 200, ok);
  server.answer(heartbeat_call, 500, "{}");
  come_online();
  const Clock::time_point start = clock.now();
  until_count(heartbeat_call, 5);
  CHECK(seconds_between(start, clock.now()) == doctest::Approx(80).epsilon(0.03));
  until_count(heartbeat_call, 9);
  const Clock::time_point slow = clock.now();
  until_count(heartbeat_call, 10);
  CHECK(seconds_between(slow, clock.now()) >= 45);
  CHECK(seconds_between(slow, clock.now()) <= 75);
}

TEST_CASE_FIXTURE(Fixture, "presence: Retry-After is honoured as far as presence allows") {
  server.answer(heartbeat_call, 200, ok);
  server.answer(heartbeat_call, test::Canned{.status = 429, .headers = {{"Retry-After", "45"}}});
  server.answer(heartbeat_call, test::Canned{.status = 503, .headers = {{"Retry-After", "3600"}}});
  server.answer(heartbeat_call, 200, ok);
  come_online();
  until_count(heartbeat_call, 2);
  Clock::time_point last = clock.now();
  until_count(heartbeat_call, 3);
  CHECK(seconds_between(last, clock.now()) == doctest::Approx(46).epsilon(0.01));
  last = clock.now();
  until_count(heartbeat_call, 4);
  CHECK(seconds_between(last, clock.now()) == doctest::Approx(61).epsilon(0.01));
}

TEST_CASE_FIXTURE(Fixture, "presence: after a suspend a heartbeat is sent within seconds") {
  server.answer(heartbeat_call, 200, ok);
  come_online();
  const Clock::time_point start = clock.now();
  clock.suspend(std::chrono::hours(1));
  until_count(heartbeat_call, 2);
  CHECK(seconds_between(start, clock.now()) <= 5);
  const Clock::time_point woken = clock.now();
  until_count(heartbeat_call, 3);
  CHECK(seconds_between(woken, clock.now()) >= 19);
}

TEST_CASE_FIXTURE(Fixture, "presence: a removed workspace ends the heartbeats with one text") {
  server.answer(heartbeat_call, 401, R"({"error":"invalid workspace auth token"})");
  server.answer("GET /workspaces/" + test::self_id, 410,
                R"({"error":"workspace removed","removed_at":"2026-05-01T10:00:00Z"})");
  server.answer(register_call, 200, R"({"status":"registered","delivery_mode":"poll"})");
  start_register();
  start_heartbeats();
  until([&] { return ended == 1; });
  CHECK(removal.reason().find(test::self_id) != std::string::npos);
  CHECK(removal.reason().find("2026-05-01") != std::string::npos);
  CHECK(count(heartbeat_call) == 3);
  CHECK(rejections.empty());
}

TEST_CASE_FIXTURE(Fixture, "presence: a step of the calendar changes no heartbeat") {
  server.answer(heartbeat_call, 200, ok);
  come_online();
  for (const int hours : {5, -9}) {
    const Clock::time_point start = clock.now();
    clock.step_wall(std::chrono::hours(hours));
    const std::size_t beats = count(heartbeat_call);
    until_count(heartbeat_call, beats + 1);
    CHECK(seconds_between(start, clock.now()) >= 19);
  }
}

TEST_CASE_FIXTURE(Fixture, "presence: a secret that cannot be written never stops the heartbeats") {
  const test::Stderr stderr_text;
  std::filesystem::create_directory(folder.path() / ".platform_inbound_secret");
  server.answer(heartbeat_call, 200, R"({"status":"ok","platform_inbound_secret":"hidden"})");
  come_online();
  until_count(heartbeat_call, 4);
  CHECK(stderr_text.said("inbound secret could not be stored") == 1);
  CHECK(stderr_text.said("hidden") == 0);
}

TEST_CASE_FIXTURE(Fixture, "presence: malformed and foreign replies are survived") {
  server.answer(heartbeat_call, 200, R"({"platform_inbound_secret":{"a":1}})");
  server.answer(heartbeat_call, 200, "[]");
  server.answer(heartbeat_call, test::Canned{.body = "<html>", .content_type = "text/html"});
  server.answer(heartbeat_call, test::Canned{.act = test::Canned::Act::truncate});
  server.answer(heartbeat_call, test::Canned{.act = test::Canned::Act::reset});
  server.answer(heartbeat_call, 410, "{}");
  server.answer(heartbeat_call, 200, ok);
  come_online();
  until_count(heartbeat_call, 8);
  CHECK(rejections.empty());
}
