#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "workspace/fixture.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/sync/broadcasts.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;

namespace {

const std::string call = "GET /workspaces/" + test::self_id + "/activity";

std::string row(int number) {
  return fmt::format(
      R"({{"id":"{}","activity_type":"broadcast_receive","source_id":"{}","seq":{},)"
      R"("created_at":"2026-05-01T10:00:{:02}Z","request_body":{{"params":{{"message":)"
      R"({{"parts":[{{"kind":"text","text":"to all"}}]}}}}}}}})",
      activity_id(number), test::peer_id, number, number);
}

struct Fixture : test::Fixture {
  Inbox inbox{folder.path(), clock, test::timing};
  OwnerRole owner_role{test::self_id, inbox, folder.path(), clock};
  Removal removal{client};
  Event any_changed{clock};
  Changes changes{clock, any_changed};
  Broadcasts broadcasts{
      {client, inbox, owner_role, credentials, removal, changes, clock, test::timing}};

  ~Fixture() { end_tasks(); }

  void start() { tasks.spawn("broadcasts", broadcasts.run()); }
  bool asked(std::size_t number, const std::string& parameter) {
    const std::string target = server.requests(call).at(number).target;
    return (target + "&").find(parameter + "&") != std::string::npos;
  }
  double seconds_since(Clock::time_point begin) const {
    return std::chrono::duration<double>(clock.now() - begin).count();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "fault F4: broadcasts arrive by a poll with a cursor of its own") {
  inbox.messages.store({}, activity_id(50));
  server.answer(call, 200, "[" + row(2) + "," + row(1) + "]");
  server.answer(call, 200, "[" + row(3) + "]");
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  const Clock::time_point first = clock.now();
  CHECK(asked(0, "type=broadcast_receive"));
  CHECK(asked(0, "since_secs=600"));
  CHECK(inbox.messages.size() == 2);
  CHECK(inbox.messages.oldest()->text == "to all");
  CHECK(inbox.messages.oldest()->kind == "peer_agent");
  CHECK(changes.messages() == 1);
  until_count(call, 2);
  CHECK(seconds_since(first) == doctest::Approx(30).epsilon(0.06));
  CHECK(asked(1, "since_id=" + activity_id(2)));
  until_count(call, 3);
  CHECK(asked(2, "since_id=" + activity_id(3)));
  // The inbox's own cursor is another one.
  CHECK(inbox.poll_state.cursor() == activity_id(50));
  CHECK(inbox.messages.size() == 3);
}

TEST_CASE_FIXTURE(Fixture, "fault C6: many announced broadcasts are not many polls") {
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  const Clock::time_point first = clock.now();
  until([&] {
    broadcasts.wake();
    return count(call) == 12;
  });
  CHECK(clock.now() - first >= 10 * test::timing.min_poll_interval);
}

TEST_CASE_FIXTURE(Fixture, "fault F4: an announced broadcast is fetched at once") {
  server.answer(call, 200, "[]");
  server.answer(call, 200, "[" + row(1) + "]");
  server.answer(call, 503, "{}");
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  const Clock::time_point first = clock.now();
  broadcasts.wake();
  until([&] { return count(call) == 2; });
  CHECK(clock.now() - first <= test::timing.min_poll_interval);
  until_count(call, 2);
  CHECK(inbox.messages.size() == 1);
  // A platform that fails is not asked more often because of that.
  broadcasts.wake();
  until_count(call, 3);
  const Clock::time_point failed = clock.now();
  broadcasts.wake();
  until_count(call, 4);
  CHECK(seconds_since(failed) >= 28);
}

TEST_CASE_FIXTURE(Fixture, "fault F4: without a broadcast the inbox's cursor serves") {
  inbox.messages.store({}, activity_id(50));
  server.answer(call, 200, "[]");
  start();
  until_count(call, 2);
  CHECK(asked(1, "since_id=" + activity_id(50)));
}

TEST_CASE_FIXTURE(Fixture,
                  "fault F4: an unknown cursor is dropped, and nothing removed comes again") {
  inbox.messages.store_broadcasts({}, activity_id(1));
  clock.step_wall(std::chrono::hours(2));
  server.answer(call, 410, R"({"error":"since_id cursor not found"})");
  server.answer(call, 200, "[" + row(2) + "]");
  server.answer(call, 410, R"({"error":"since_id cursor not found"})");
  server.answer(call, 200, "[" + row(3) + "," + row(2) + "]");
  start();
  until_count(call, 2);
  const std::string target = server.requests(call).at(1).target;
  const std::size_t at = target.find("since_secs=");
  REQUIRE(at != std::string::npos);
  CHECK(std::stoi(target.substr(at + 11)) >= 7200);
  CHECK(inbox.messages.remove(activity_id(2)));
  until_count(call, 4);
  CHECK(inbox.messages.size() == 1);
  CHECK(inbox.messages.oldest()->activity_id == activity_id(3));
}

TEST_CASE_FIXTURE(Fixture, "fault F4: what cannot be stored is fetched again") {
  server.answer(call, 200, "[" + row(1) + "]");
  inbox.messages.store({}, activity_id(50));
  sqlite::Database other(folder.path() / "inbox.db");
  other.execute(
      "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END");
  start();
  until_count(call, 1);
  CHECK_FALSE(inbox.poll_state.broadcast_cursor());
  other.execute("DROP TRIGGER full");
  until_count(call, 2);
  CHECK(inbox.messages.size() == 1);
  CHECK(inbox.poll_state.broadcast_cursor() == activity_id(1));
}
