#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/json/writer.hpp"
#include "workspace/support.hpp"
#include "workspace/sync/poll_cursor.hpp"

using namespace molecule;
using namespace molecule::workspace;
using std::chrono::seconds;
using test::activity_id;

namespace {

std::string row(int number, std::string_view more = "") {
  return fmt::format(
      R"({{"id":"{}","activity_type":"a2a_receive","created_at":"2026-05-01T10:{:02}:{:02}Z",)"
      R"("summary":"{}"{}}})",
      activity_id(number), number / 60, number % 60, number, more);
}

platform::ActivityPage page_of(const std::vector<std::string>& rows) {
  std::string text = "[";
  for (const std::string& one : rows) text += (text.size() > 1 ? "," : "") + one;
  platform::ActivityPage page;
  REQUIRE(page.document.parse(text + "]").ok());
  page.rows = page.document.root().items();
  return page;
}

/// Rows from `first` down to `last`, as the platform sends them without a cursor.
platform::ActivityPage newest_first(int first, int last) {
  std::vector<std::string> rows;
  for (int i = first; i >= last; --i) {
    rows.push_back(row(i, fmt::format(R"(,"seq":{})", 10 * i)));
  }
  return page_of(rows);
}

std::vector<std::string> texts(const PollCursor::Batch& batch) {
  std::vector<std::string> result;
  for (const Message& message : batch.messages) result.push_back(message.text);
  return result;
}

PollCursor forward(int limit = 100) {
  return {test::self_id, activity_id(1), seconds(600), limit};
}
PollCursor backward(int limit, GatherLimits room = {}) {
  return {test::self_id, std::nullopt, seconds(600), limit, room};
}

}  // namespace

TEST_CASE("poll cursor: with a cursor, the rows after it, page by page") {
  PollCursor pass = forward(2);
  CHECK(pass.query().since_id == activity_id(1));
  CHECK_FALSE(pass.query().since_secs);
  CHECK(pass.query().limit == 2);
  CHECK(pass.query().type == "a2a_receive");
  const PollCursor::Step full = pass.take(page_of({row(2), row(3)}));
  CHECK(full.next == NextPoll::at_once);
  REQUIRE(full.batch);
  CHECK(texts(*full.batch) == std::vector<std::string>{"2", "3"});
  CHECK(full.batch->cursor == activity_id(3));
  const PollCursor::Step part = forward(2).take(page_of({row(4)}));
  CHECK(part.next == NextPoll::after_interval);
  CHECK(part.batch->cursor == activity_id(4));
}

TEST_CASE(
    "poll cursor: rows that are not messages move the cursor, unreadable ones do not stop it") {
  const PollCursor::Step step = forward().take(
      page_of({row(2, R"(,"method":"notify")"), R"({"id":"rubbish"})", "null", row(3), "7",
               row(4, fmt::format(R"(,"source_id":"{}")", test::self_id)), R"({"id":{}})"}));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"3"});
  CHECK(step.batch->cursor == activity_id(4));
  CHECK(step.malformed == 4);
}

TEST_CASE("poll cursor: a page that does not move the cursor is not requested again at once") {
  CHECK(forward(1).take(page_of({row(1)})).next == NextPoll::after_interval);
  CHECK_FALSE(forward(1).take(page_of({row(1)})).batch);
  CHECK(forward(2).take(page_of({"null", "null"})).next == NextPoll::after_interval);
  CHECK_FALSE(forward().take(page_of({})).batch);
}

TEST_CASE("poll cursor: without a cursor the newest rows come first and are reversed") {
  PollCursor pass = backward(500);
  CHECK_FALSE(pass.query().since_id);
  CHECK(pass.query().since_secs == 600);
  const PollCursor::Step step = pass.take(newest_first(5, 3));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"3", "4", "5"});
  CHECK(step.batch->cursor == activity_id(5));
  CHECK_FALSE(backward(500).take(page_of({})).batch);
}

TEST_CASE("poll cursor: older pages are gathered before any is stored") {
  PollCursor pass = backward(3);
  PollCursor::Step step = pass.take(newest_first(9, 7));
  CHECK(step.next == NextPoll::at_once);
  CHECK_FALSE(step.batch);
  CHECK(pass.query().since_secs == 600);
  CHECK(pass.query().before_ts == "2026-05-01T10:00:07.000001Z");
  step = pass.take(newest_first(7, 5));
  CHECK_FALSE(step.batch);
  step = pass.take(newest_first(5, 4));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"4", "5", "6", "7", "8", "9"});
  CHECK(step.batch->cursor == activity_id(9));
}

TEST_CASE("poll cursor: with more rows than may be gathered, the cursor walks from the oldest") {
  GatherLimits room;
  SUBCASE("rows") {
    room.rows = 4;
  }
  SUBCASE("bytes") {
    room.bytes = 4;
  }
  PollCursor pass = backward(3, room);
  PollCursor::Step step = pass.take(newest_first(19, 17));
  for (int oldest = 17; oldest > 3; oldest -= 2) {
    CHECK(step.next == NextPoll::at_once);
    CHECK_FALSE(step.batch);
    CHECK(pass.query().since_secs == 600);
    step = pass.take(newest_first(oldest, oldest - 2));
  }
  step = pass.take(newest_first(3, 3));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"3"});
  CHECK(step.batch->cursor == activity_id(3));
  CHECK(step.batch->sequence == 30);
  CHECK(step.next == NextPoll::at_once);
}

TEST_CASE("poll cursor: rows that just fit are stored at once") {
  PollCursor pass = backward(3, {.rows = 4});
  CHECK_FALSE(pass.take(newest_first(9, 7)).batch);
  const PollCursor::Step step = pass.take(newest_first(7, 6));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"6", "7", "8", "9"});
  CHECK(step.next == NextPoll::after_interval);
}

TEST_CASE("poll cursor: a page that ends early because it is large is not the last") {
  const std::string large = fmt::format(R"(,"response_body":"{}")", std::string(1 << 20, 'x'));
  CHECK(forward().take(page_of({row(2, large)})).next == NextPoll::at_once);
  PollCursor pass = backward(500);
  CHECK_FALSE(pass.take(page_of({row(9, large)})).batch);
  const PollCursor::Step step = pass.take(newest_first(9, 8));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"8", "9"});
}

TEST_CASE("poll cursor: with a platform that cannot page backwards, one page is stored") {
  PollCursor pass = backward(3);
  CHECK_FALSE(pass.take(newest_first(9, 7)).batch);
  const PollCursor::Step step = pass.take(newest_first(9, 7));
  REQUIRE(step.batch);
  CHECK(texts(*step.batch) == std::vector<std::string>{"7", "8", "9"});
}

TEST_CASE("poll cursor: which answers refuse the cursor") {
  const platform::ActivityQuery with = forward().query();
  const platform::ActivityQuery without = backward(500).query();
  const auto error = [](platform::Errc code, int status, std::string message = "failed") {
    platform::Error e;
    e.code = code;
    e.status = status;
    e.message = std::move(message);
    return e;
  };
  using platform::Errc;
  CHECK(refuses_cursor(error(Errc::gone, 410), with));
  CHECK(refuses_cursor(
      error(Errc::gone, 410, "since_id cursor not found (row may have been pruned)"), with));
  CHECK(refuses_cursor(error(Errc::gone, 410, "the cursor's row was removed"), with));
  CHECK(refuses_cursor(error(Errc::rejected, 400), with));
  CHECK(refuses_cursor(error(Errc::server_error, 500, "cursor lookup failed"), with));
  CHECK_FALSE(refuses_cursor(error(Errc::server_error, 500, "query failed"), with));
  CHECK_FALSE(refuses_cursor(error(Errc::server_error, 503, "cursor"), with));
  CHECK_FALSE(refuses_cursor(error(Errc::unauthorized, 401), with));
  CHECK_FALSE(refuses_cursor(error(Errc::unreachable, 0), with));
  CHECK_FALSE(refuses_cursor(error(Errc::gone, 410), without));
  CHECK_FALSE(refuses_cursor(error(Errc::gone, 410, "workspace removed"), with));
  platform::Error removed = error(Errc::gone, 410);
  removed.removed_at = "2026-05-01T10:00:00Z";
  CHECK_FALSE(refuses_cursor(removed, with));
  CHECK_FALSE(refuses_cursor(error(Errc::rejected, 400), without));
}
