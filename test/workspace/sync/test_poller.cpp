#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "workspace/fixture.hpp"
#include "workspace/store/inbox/inbox.hpp"
#include "workspace/sync/poller.hpp"

using namespace molecule;
using namespace molecule::workspace;
using test::activity_id;
using test::message;

namespace {

const std::string ack_call = "POST /workspaces/" + test::self_id + "/activity/ack";
const std::string info_call = "GET /workspaces/" + test::self_id;
const std::string call = "GET /workspaces/" + test::self_id + "/activity";

constexpr WallTime first_row = std::chrono::sys_days(std::chrono::May / 1 / 2026);

/// One row per second.
std::string row(int number, WallTime first = first_row) {
  return fmt::format(
      R"({{"id":"{}","activity_type":"a2a_receive","method":"message/send","source_id":null,)"
      R"("created_at":"{}","request_body":{{"params":{{"message":)"
      R"({{"parts":[{{"kind":"text","text":"x"}}]}}}}}}}})",
      activity_id(number), format_rfc3339(first + std::chrono::seconds(number)));
}

std::string numbered_row(int number, long sequence) {
  return fmt::format(R"({{"seq":{},{})", sequence, row(number).substr(1));
}

std::string page(std::vector<int> numbers, WallTime first = first_row) {
  std::string text = "[";
  for (const int number : numbers) text += (text.size() > 1 ? "," : "") + row(number, first);
  return text + "]";
}

std::string page_of(int first, int last, WallTime first_made = first_row) {
  std::vector<int> numbers;
  for (int i = first; i <= last; ++i) numbers.push_back(i);
  return page(std::move(numbers), first_made);
}

double seconds_between(Clock::time_point a, Clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

struct Fixture : test::Fixture {
  Inbox inbox{folder.path(), clock, test::timing};
  std::vector<std::string> announced;
  OwnerRole owner_role{test::self_id, inbox, folder.path(), clock};
  Acknowledgements acknowledgements{client, inbox.poll_state, clock};
  Removal removal{client};
  Event token_refused{clock};
  Event any_changed{clock};
  Changes changes{clock, any_changed};
  Files files{client, folder.path(), folder.path() / "uploads", clock, test::timing};
  Poller poller{{client, inbox, owner_role, credentials, removal, changes, clock, test::timing},
                files,
                acknowledgements,
                token_refused};

  ~Fixture() { end_tasks(); }

  void start() {
    announced.clear();
    tasks.spawn("inbox", poller.run());
    tasks.spawn("announce", announce());
  }
  awaitable<void> announce() {
    for (std::uint64_t seen = 0; true; seen = changes.messages()) {
      while (changes.messages() == seen) co_await changes.event().wait();
      for (const Message& m : inbox.leases.announce(1000).messages)
        announced.push_back(m.activity_id);
    }
  }
  void start_acknowledging() {
    tasks.spawn("acknowledgements", acknowledgements.run());
    start();
  }
  std::string acked(std::size_t number) { return server.requests(ack_call).at(number).body; }
  /// The last error in the owner's record.
  std::string noted() const { return read_owner_record(folder.path()).value().last_error; }
  std::string query(std::size_t number) {
    const std::string target = server.requests(call).at(number).target;
    return target.substr(target.find('?') + 1) + "&";
  }
  bool asked(std::size_t number, const std::string& parameter) {
    return query(number).find(parameter + "&") != std::string::npos;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "poller: from the first poll to following the cursor") {
  server.answer(call, 200, page({3, 2, 1}));
  server.answer(call, 200, page({4}));
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  CHECK(asked(0, "type=a2a_receive"));
  CHECK(asked(0, "since_secs=600"));
  CHECK(query(0).find("since_id") == std::string::npos);
  CHECK(inbox.messages.size() == 3);
  CHECK(inbox.messages.oldest()->activity_id == activity_id(1));
  CHECK(inbox.poll_state.cursor() == activity_id(3));
  const Clock::time_point first = clock.now();
  until_count(call, 2);
  CHECK(seconds_between(first, clock.now()) == doctest::Approx(5).epsilon(0.06));
  CHECK(asked(1, "since_id=" + activity_id(3)));
  CHECK(query(1).find("since_secs") == std::string::npos);
  until_count(call, 3);
  CHECK(asked(2, "since_id=" + activity_id(4)));
  CHECK(announced ==
        std::vector<std::string>{activity_id(1), activity_id(2), activity_id(3), activity_id(4)});
}

TEST_CASE_FIXTURE(Fixture, "poller: the page after a full one is fetched at once") {
  inbox.messages.store({}, activity_id(1));
  server.answer(call, 200, page_of(2, 101));
  server.answer(call, 200, page_of(102, 103));
  start();
  const Clock::time_point before = clock.now();
  until([&] { return inbox.messages.size() == 102; });
  CHECK(clock.now() == before);
  CHECK(asked(1, "since_id=" + activity_id(101)));
}

TEST_CASE_FIXTURE(Fixture,
                  "poller: an unknown cursor is dropped, and removed messages do not return") {
  inbox.messages.store({message(1), message(2)}, activity_id(2));
  inbox.messages.remove(activity_id(1));
  const auto refused = [&](int status, const char* body) {
    server.answer(call, status, body);
    server.answer(call, 200, page({3, 2, 1}));
  };
  SUBCASE("410") {
    refused(410, R"({"error":"since_id cursor not found"})");
  }
  SUBCASE("400") {
    refused(400, R"({"error":"since_id must be a UUID"})");
  }
  SUBCASE("500") {
    refused(500, R"({"error":"cursor lookup failed"})");
  }
  CHECK(inbox.leases.announce(1000).messages.size() == 1);
  start();
  until_count(call, 2);
  CHECK(asked(0, "since_id=" + activity_id(2)));
  CHECK(asked(1, "since_secs=600"));
  CHECK(inbox.messages.size() == 2);
  CHECK(inbox.messages.oldest()->activity_id == activity_id(2));
  CHECK(announced == std::vector<std::string>{activity_id(3)});
  CHECK(inbox.poll_state.cursor() == activity_id(3));
}

TEST_CASE_FIXTURE(Fixture, "poller: an unknown cursor loses no message of any age") {
  using std::chrono::hours;
  const WallTime begin = clock.wall();
  int at_least = 600;
  SUBCASE("after a restart: back to when it was stored") {
    inbox.messages.store({}, activity_id(1));
    clock.step_wall(hours(2));
    at_least = 7200;
  }
  SUBCASE("after a restart in a backlog: back to the cursor's row") {
    inbox.messages.store({}, activity_id(1), 0, begin - hours(3));
    clock.step_wall(hours(2));
    at_least = 5 * 3600;
  }
  SUBCASE("in a backlog: the last fetched row is not its end") {
    inbox.messages.store({}, activity_id(1), 0, begin - hours(4));
    server.answer(call, 200, page_of(2, 101, begin - hours(3)));
    at_least = 3 * 3600 - 101;
  }
  SUBCASE("after polls whose rows could not be stored") {
    inbox.messages.store({}, activity_id(1), 0, begin - hours(2));
    server.answer(call, 200, page_of(2, 3));
    sqlite::Database(folder.path() / "inbox.db")
        .execute(
            "CREATE TRIGGER full BEFORE INSERT ON messages BEGIN SELECT RAISE(ABORT, 'full'); END");
    at_least = 7200;
  }
  SUBCASE("after a poll that found nothing: ten minutes") {
    inbox.messages.store({}, activity_id(1), 0, begin - hours(5));
    server.answer(call, 200, "[]");
  }
  server.answer(call, 410, R"({"error":"since_id cursor not found"})");
  server.answer(call, 200, "[]");
  start();
  until([&] {
    const std::size_t asked = count(call);
    return asked > 0 && query(asked - 1).find("since_secs=") != std::string::npos;
  });
  const std::string last = query(count(call) - 1);
  const int seconds = std::stoi(last.substr(last.find("since_secs=") + 11));
  CHECK(seconds >= at_least);
  CHECK(seconds <= at_least + 120);
}

TEST_CASE_FIXTURE(Fixture, "poller: a removed workspace ends the polls with one text") {
  server.answer(info_call, 410, R"({"error":"workspace removed","removed_at":null})");
  std::size_t polls = 1;
  SUBCASE("401, which may be a wrong token too") {
    server.answer(call, 401, R"({"error":"invalid workspace auth token"})");
    polls = 3;
  }
  SUBCASE("403") {
    server.answer(call, 403, "{}");
    polls = 3;
  }
  SUBCASE("410 without a cursor") {
    server.answer(call, 410, "{}");
  }
  SUBCASE("410 that mentions the workspace") {
    inbox.messages.store({}, activity_id(1));
    server.answer(call, 410, R"({"error":"workspace removed","removed_at":null})");
  }
  SUBCASE("410 without a reason") {
    inbox.messages.store({}, activity_id(1));
    server.answer(call, 410, "{}");
    polls = 2;
  }
  start();
  // Only the test's own task continues.
  until([&] { return tasks.size() == 1; });
  CHECK(removal.reason().find(test::self_id + " was removed") != std::string::npos);
  CHECK(count(call) == polls);
  CHECK(count(info_call) == 1);
}

TEST_CASE_FIXTURE(Fixture, "poller: rejections without a removal do not end the polls") {
  server.answer(call, 401, "{}");
  server.answer(call, 401, "{}");
  server.answer(call, 200, "[]");
  server.answer(call, 401, "{}");
  server.answer(info_call, 200, "{}");
  start();
  until_count(call, 5);
  CHECK(count(info_call) == 0);
  until_count(call, 8);
  CHECK(count(info_call) > 0);
  CHECK(removal.reason().empty());
}

TEST_CASE_FIXTURE(Fixture, "fault F2: rejected polls escalate like heartbeats") {
  const test::Stderr stderr_text;
  int refused = 0;
  const auto count_refused = [](Event& event, int& times) -> awaitable<void> {
    while (true) {
      co_await event.wait();
      ++times;
    }
  };
  tasks.spawn("refused", count_refused(token_refused, refused));
  server.answer(info_call, 200, R"({"id":"x"})");
  for (int i = 0; i < 25; ++i)
    server.answer(call, 401, R"({"error":"invalid workspace auth token"})");
  server.answer(call, 200, "[]");
  start();
  until_count(call, 2);
  CHECK(stderr_text.said("warning: inbox: the platform rejected the token") == 2);
  CHECK(stderr_text.said("error: ") == 0);
  CHECK(refused == 0);
  until_count(call, 3);
  CHECK(stderr_text.said("error: inbox: 3 rejected in a row (HTTP 401)") == 1);
  CHECK(stderr_text.said("still exists") == 1);
  CHECK(stderr_text.said("no messages arrive") == 1);
  until([&] { return refused == 1; });
  const auto trouble = read_owner_record(folder.path()).value().trouble;
  REQUIRE(trouble);
  CHECK(trouble->what.find("401") != std::string::npos);
  CHECK(trouble->next.find("Tokens tab") != std::string::npos);
  until_count(call, 23);
  CHECK(stderr_text.said("error: ") == 2);
  until([&] { return refused == 2; });
  until_count(call, 27);
  CHECK(stderr_text.said("error: ") == 2);
  CHECK_FALSE(read_owner_record(folder.path()).value().trouble);
}

TEST_CASE_FIXTURE(Fixture, "poller: other failures keep the cursor and slow down") {
  const test::Stderr stderr_text;
  inbox.messages.store({}, activity_id(1));
  for (int i = 0; i < 6; ++i) server.answer(call, 500, R"({"error":"query failed"})");
  server.answer(call, 200, page({2}));
  server.answer(call, 500, "{}");
  start();
  until_count(call, 1);
  const Clock::time_point start_time = clock.now();
  until_count(call, 5);
  // 5 + 10 + 20 + 30, each ±25 %.
  CHECK(seconds_between(start_time, clock.now()) >= 65 * 0.75);
  CHECK(seconds_between(start_time, clock.now()) <= 65 * 1.25);
  until_count(call, 7);
  for (std::size_t i = 0; i < 7; ++i) CHECK(asked(i, "since_id=" + activity_id(1)));
  CHECK(inbox.messages.size() == 1);
  CHECK(stderr_text.said("warning: ") == 1);
  // After a success the retry count starts again.
  until_count(call, 8);
  const Clock::time_point failed_again = clock.now();
  until_count(call, 9);
  CHECK(seconds_between(failed_again, clock.now()) <= 6.25);
  CHECK(stderr_text.said("warning: ") == 2);
}

TEST_CASE_FIXTURE(Fixture, "poller: bad answers of every kind lose nothing") {
  inbox.messages.store({}, activity_id(1));
  using test::Canned;
  server.answer(call, Canned{.body = "<html>hi</html>", .content_type = "text/html"});
  server.answer(call, 200, R"({"rows":[]})");
  server.answer(call, 200, "[1,null,{},[[]],\"x\"]");
  server.answer(call, Canned{.body = page({2}), .act = Canned::Act::truncate});
  server.answer(call, Canned{.act = Canned::Act::reset});
  server.answer(call, Canned{.status = 302, .headers = {{"Location", "http://evil.test/"}}});
  server.answer(call, 401, "{}");
  server.answer(call, 200, page({2}));
  start();
  until_count(call, 8);
  CHECK(inbox.poll_state.cursor() == activity_id(2));
  CHECK(inbox.messages.size() == 1);
}

TEST_CASE_FIXTURE(Fixture, "poller: Retry-After is honoured") {
  server.answer(call, test::Canned{.status = 429, .headers = {{"Retry-After", "40"}}});
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  const Clock::time_point asked_to_wait = clock.now();
  until_count(call, 2);
  CHECK(seconds_between(asked_to_wait, clock.now()) == doctest::Approx(41).epsilon(0.01));
}

TEST_CASE_FIXTURE(Fixture, "poller: a rotated token is read again") {
  server.answer(call, 401, "{}");
  server.answer(call, 200, "[]");
  start();
  set_token("second-token");
  until_count(call, 2);
  CHECK(server.requests(call).at(0).header("Authorization") == "Bearer first-token");
  CHECK(server.requests(call).at(1).header("Authorization") == "Bearer second-token");
}

TEST_CASE_FIXTURE(Fixture, "poller: rows that cannot be stored are fetched again") {
  const test::Stderr stderr_text;
  inbox.messages.store({message(1)}, activity_id(1));
  server.answer(call, 200, page({2, 3}));
  {
    // A full database, as every writer sees it: a trigger refuses rows.
    sqlite::Database other(folder.path() / "inbox.db");
    other.execute(
        "CREATE TRIGGER full BEFORE INSERT ON messages WHEN NEW.activity_id LIKE '%3' "
        "BEGIN SELECT RAISE(ABORT, 'disk is full'); END");
  }
  start();
  until_count(call, 3);
  CHECK(inbox.poll_state.cursor() == activity_id(1));
  CHECK(inbox.messages.size() == 1);
  CHECK(announced.empty());
  CHECK(stderr_text.said("could not be stored") == 1);
  {
    sqlite::Database other(folder.path() / "inbox.db");
    other.execute("DROP TRIGGER full");
  }
  until_count(call, 4);
  CHECK(inbox.poll_state.cursor() == activity_id(3));
  CHECK(inbox.messages.size() == 3);
  for (std::size_t i = 0; i < 4; ++i) CHECK(asked(i, "since_id=" + activity_id(1)));
}

TEST_CASE_FIXTURE(Fixture, "poller: an unreadable inbox shows in the status record") {
  const test::Stderr stderr_text;
  owner_role.owns();
  sqlite::Database(folder.path() / "inbox.db").execute("ALTER TABLE state RENAME COLUMN key TO k");
  start();
  until([&] { return stderr_text.said("no such column") > 0; });
  CHECK(noted().find("no such column") != std::string::npos);
  CHECK(count(call) == 0);
}

TEST_CASE_FIXTURE(Fixture, "poller: an overfull inbox stops fetching and says so once") {
  const test::Stderr stderr_text;
  std::vector<Message> many;
  for (int i = 1; i <= static_cast<int>(MessageStore::max_waiting); ++i) many.push_back(message(i));
  inbox.messages.store(many, many.back().activity_id);
  server.answer(call, 200, "[]");
  start();
  const Clock::time_point begin = clock.now();
  until([&] { return seconds_between(begin, clock.now()) > 60; });
  CHECK(count(call) == 0);
  CHECK(stderr_text.said("wait to be removed") == 1);
  CHECK(noted().find("wait to be removed") != std::string::npos);
  inbox.messages.remove(activity_id(1));
  until_count(call, 1);
  CHECK(asked(0, "since_id=" + many.back().activity_id));
}

TEST_CASE_FIXTURE(Fixture, "poller: without a cursor no message between two polls is missed") {
  server.answer(call, 200, "[]");
  server.answer(call, 503, "{}");
  start();
  until_count(call, 1);
  const Clock::time_point first = clock.now();
  until([&] { return seconds_between(first, clock.now()) > 3600; });
  until_count(call, count(call) + 1);
  const std::string last = query(count(call) - 1);
  const std::size_t at = last.find("since_secs=");
  REQUIRE(at != std::string::npos);
  CHECK(std::stoi(last.substr(at + 11)) > 3600);
  CHECK(asked(1, "since_secs=600"));
}

TEST_CASE_FIXTURE(Fixture, "poller: a page that is too large is fetched in smaller pieces") {
  inbox.messages.store({}, activity_id(1));
  const std::string large(std::size_t{65} << 20, ' ');
  server.answer(call, 200, "[" + large + "]");
  server.answer(call, 200, "[]");
  start();
  until_count(call, 3);
  CHECK(asked(0, "limit=100"));
  CHECK(asked(1, "limit=25"));
  CHECK(asked(2, "limit=50"));
}

TEST_CASE_FIXTURE(Fixture, "poller: after a suspend it polls at once although it had slowed down") {
  server.answer(call, test::Canned{.status = 503, .headers = {{"Retry-After", "300"}}});
  server.answer(call, 200, "[]");
  start();
  until_count(call, 1);
  const Clock::time_point start_time = clock.now();
  clock.suspend(std::chrono::hours(1));
  until_count(call, 2);
  CHECK(seconds_between(start_time, clock.now()) <= 5);
}

TEST_CASE_FIXTURE(Fixture, "poller: handled rows are acknowledged once") {
  server.answer(call, 200, "[" + numbered_row(2, 20) + "," + numbered_row(1, 10) + "]");
  server.answer(call, 200, "[]");
  server.answer(ack_call, 200, R"({"last_acked_seq":9})");
  start_acknowledging();
  until([&] { return count(ack_call) == 1; });
  CHECK(acked(0) == R"({"acked_seq":9})");
  until_count(call, count(call) + 3);
  CHECK(count(ack_call) == 1);
  inbox.messages.remove(activity_id(1));
  inbox.messages.remove(activity_id(2));
  until([&] { return count(ack_call) == 2; });
  CHECK(acked(1) == R"({"acked_seq":20})");
  until_count(call, count(call) + 3);
  CHECK(count(ack_call) == 2);
}

TEST_CASE_FIXTURE(Fixture, "poller: a failed acknowledgement is repeated, at most once per poll") {
  server.answer(call, 200, "[" + numbered_row(1, 10) + "]");
  server.answer(call, 200, "[]");
  server.answer(ack_call, 500, "{}");
  server.answer(ack_call, 429, "{}");
  server.answer(ack_call, 200, R"({"last_acked_seq":9})");
  start_acknowledging();
  until([&] { return count(ack_call) == 3; });
  CHECK(count(call) >= 3);
  until_count(call, count(call) + 3);
  CHECK(count(ack_call) == 3);
}

TEST_CASE_FIXTURE(Fixture, "poller: an older platform gets one acknowledgement and no more") {
  const test::Stderr stderr_text;
  server.answer(call, 200, "[" + numbered_row(1, 10) + "]");
  server.answer(call, 200, "[" + numbered_row(2, 20) + "]");
  server.answer(call, 200, "[]");
  server.answer(ack_call, 404, "404 page not found");
  start_acknowledging();
  until_count(call, 3);
  inbox.messages.remove(activity_id(1));
  inbox.messages.remove(activity_id(2));
  until_count(call, 6);
  CHECK(count(ack_call) == 1);
  CHECK(stderr_text.text().empty());
}

TEST_CASE_FIXTURE(Fixture,
                  "poller: a platform that never answers acknowledgements delays no poll") {
  server.answer(call, 200, "[" + numbered_row(1, 10) + "]");
  server.answer(call, 200, "[]");
  server.answer(ack_call, test::Canned{.act = test::Canned::Act::hang});
  start_acknowledging();
  until([&] { return count(ack_call) == 1; });
  until_count(call, 10);
  CHECK(count(ack_call) == 1);
}

TEST_CASE_FIXTURE(Fixture,
                  "fault B1: a page for an inbox that was replaced meanwhile comes again") {
  Event release(clock);
  server.answer(call, 200, page({1}));
  server.answer(call, {.body = page({2}), .held = &release});
  server.answer(call, 200, page({2, 1}));
  start();
  until([&] { return count(call) == 2; });
  for (const char* name : {"inbox.db", "inbox.db-wal", "inbox.db-shm"}) {
    std::filesystem::remove(folder.path() / name);
  }
  release.notify_all();
  until([&] { return inbox.messages.size() == 2; });
  CHECK_FALSE(asked(2, "since_id=" + activity_id(1)));
  CHECK(query(2).find("since_secs=") != std::string::npos);
}
