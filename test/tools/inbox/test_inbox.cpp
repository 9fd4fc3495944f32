#include <fcntl.h>

#include <fstream>

#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

workspace::Message message(int number, std::string text = "hi") {
  workspace::Message m;
  m.activity_id = "00000000-0000-4000-8000-00000000000" + std::to_string(number);
  m.text = std::move(text);
  m.kind = "canvas_user";
  m.method = "message/send";
  m.created_at = "2026-05-01T00:00:00Z";
  return m;
}

std::string derived_id(int number) {
  return "00000000-0000-4000-8000-0000000001" + std::to_string(10 + number);
}

void deliver(Fixture& fixture, std::vector<workspace::Message> messages) {
  const std::string cursor = messages.back().activity_id;
  fixture.inbox().messages.store(messages, cursor);
  fixture.workspaces->first().changes.messages_changed();
}

awaitable<void> end_after(Clock& clock, Clock::duration time,
                          std::optional<sqlite::Transaction>& write) {
  co_await sleep_for(clock, time);
  write.reset();
}

/// Another process, as SQLite sees it, that writes to the inbox for the given time.
class Writer {
 public:
  Writer(Fixture& fixture, Clock::duration time)
      : database_(fixture.folder / "inbox.db"), write_(std::in_place, database_) {
    fixture.tasks.spawn("writer", end_after(fixture.clock, time, write_));
  }

 private:
  sqlite::Database database_;
  std::optional<sqlite::Transaction> write_;
};

}  // namespace

TEST_CASE("wait_for_message gives what is new, names what is open, and consumes nothing") {
  Fixture fixture;
  deliver(fixture, {message(1, "one\n" + std::string(100, 'x')), message(2)});
  json::Document got = parsed(fixture.call("wait_for_message").text);
  CHECK(got.root()["activity_id"].string_or("") == message(1).activity_id);
  CHECK(got.root()["kind"].string_or("") == "canvas_user");
  CHECK(got.root()["open"].items().empty());
  got = parsed(fixture.call("wait_for_message").text);
  CHECK(got.root()["activity_id"].string_or("") == message(2).activity_id);
  const std::vector<json::Value> open = got.root()["open"].items();
  REQUIRE(open.size() == 1);
  CHECK(open[0]["activity_id"].string_or("") == message(1).activity_id);
  CHECK(open[0]["from"].string_or("") == "user");
  CHECK(open[0]["text"].string_or("").size() == 80);
  got = parsed(fixture.call("wait_for_message", R"({"timeout_secs":1})").text);
  CHECK(got.root()["timeout"].boolean() == true);
  CHECK(got.root()["open"].items().size() == 2);
  CHECK(fixture.inbox().messages.size() == 2);
}

TEST_CASE("of more than twenty open messages the number is named") {
  Fixture fixture;
  for (int i = 0; i < 25; ++i) {
    workspace::Message one = message(1);
    one.activity_id = derived_id(i);
    deliver(fixture, {one});
  }
  fixture.call("inbox_peek", R"({"limit":100})");
  const json::Document got = parsed(fixture.call("wait_for_message", R"({"timeout_secs":0})").text);
  CHECK(got.root()["open"].items().size() == 20);
  CHECK(got.root()["open_more"].integer() == 5);
}

TEST_CASE("wait_for_message ends at its time, which is clamped, with progress every 15 s") {
  const auto wait = [](const std::string& arguments) {
    Fixture fixture;
    FakeCall call(arguments);
    const auto start = fixture.clock.now();
    const mcp::ToolResult result =
        fixture.call("wait_for_message", call, std::chrono::seconds(1000));
    CHECK_FALSE(result.is_error);
    const std::chrono::duration<double> waited = fixture.clock.now() - start;
    return std::make_tuple(result.text, waited.count(), call.progressed);
  };
  CHECK(wait("{}") == std::make_tuple(R"({"timeout":true,"timeout_secs":50})", 50.0,
                                      std::vector<double>{15, 30, 45}));
  CHECK(std::get<0>(wait(R"({"timeout_secs":0})")) == R"({"timeout":true,"timeout_secs":0})");
  CHECK(std::get<1>(wait(R"({"timeout_secs":-3})")) == 0.0);
  CHECK(std::get<1>(wait(R"({"timeout_secs":1e30})")) == 300.0);
  CHECK(std::get<1>(wait(R"({"timeout_secs":2.5})")) == 2.5);
  CHECK(std::get<1>(wait(R"({"timeout_secs":null})")) == 50.0);
}

TEST_CASE("a message that arrives ends the wait, and a cancelled wait leaves it there") {
  Fixture fixture;
  FakeCall call("{}");
  std::optional<mcp::ToolResult> result;
  asio::co_spawn(fixture.loop, keep_result(fixture.tool("wait_for_message").handler(call), result),
                 [](std::exception_ptr) {});
  asio::cancellation_signal cancel;
  bool cancelled = false;
  std::optional<mcp::ToolResult> none;
  FakeCall other("{}");
  asio::co_spawn(fixture.loop, keep_result(fixture.tool("wait_for_message").handler(other), none),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr e) { cancelled = e != nullptr; }));
  fixture.loop.poll();
  cancel.emit(asio::cancellation_type::terminal);
  fixture.loop.poll();
  CHECK(cancelled);
  deliver(fixture, {message(1)});
  fixture.loop.poll();
  REQUIRE(result.has_value());
  CHECK(contains(result->text, message(1).activity_id));
  CHECK(fixture.inbox().messages.size() == 1);
}

TEST_CASE("inbox_peek lists the oldest first, within its limit and a host's size limit") {
  Fixture fixture;
  CHECK(fixture.call("inbox_peek").text == "[]");
  deliver(fixture, {message(1), message(2), message(3)});
  const json::Document all = parsed(fixture.call("inbox_peek").text);
  REQUIRE(all.root().items().size() == 3);
  CHECK(all.root().items()[0]["activity_id"].string_or("") == message(1).activity_id);
  CHECK(parsed(fixture.call("inbox_peek", R"({"limit":2})").text).root().items().size() == 2);
  CHECK(parsed(fixture.call("inbox_peek", R"({"limit":0})").text).root().items().size() == 1);
  CHECK(parsed(fixture.call("inbox_peek", R"({"limit":-9e9})").text).root().items().size() == 1);
  CHECK(fixture.call("inbox_peek").content.empty());
}

TEST_CASE("inbox_pop removes once, and every call says whether it did") {
  Fixture fixture;
  deliver(fixture, {message(1)});
  const std::string arguments = R"({"activity_id":")" + message(1).activity_id + R"("})";
  CHECK(fixture.call("inbox_pop", arguments).text ==
        R"({"removed":true,"activity_id":")" + message(1).activity_id + R"("})");
  CHECK(fixture.call("inbox_pop", arguments).text ==
        R"({"removed":false,"activity_id":")" + message(1).activity_id + R"("})");
  CHECK(fixture.call("inbox_pop", R"({"activity_id":"\"; DROP"})").text ==
        R"({"removed":false,"activity_id":"\"; DROP"})");
}

TEST_CASE("without an inbox its tools say so, and name the switch") {
  Fixture fixture(false);
  for (const auto& [name, arguments] :
       {std::pair{"wait_for_message", "{}"}, std::pair{"inbox_peek", "{}"},
        std::pair{"inbox_pop", R"({"activity_id":"x"})"}}) {
    const mcp::ToolResult result = fixture.call(name, arguments);
    CHECK(result.is_error);
    CHECK(contains(result.text, "not enabled"));
    CHECK(contains(result.text, "MOLECULE_MCP_DISABLE_INBOX"));
  }
}

TEST_CASE("a file that is not a database gives an answer, not a crash") {
  Fixture fixture;
  std::ofstream(fixture.folder / "inbox.db") << std::string(4096, '#');
  for (const auto& [name, arguments] :
       {std::pair{"wait_for_message", "{}"}, std::pair{"inbox_peek", "{}"},
        std::pair{"inbox_pop", R"({"activity_id":"x"})"}}) {
    const mcp::ToolResult result = fixture.call(name, arguments);
    CHECK(result.is_error);
    CHECK(contains(result.text, "inbox.db"));
  }
}

TEST_CASE("another process that writes for seconds fails no call of the inbox") {
  Fixture fixture;
  fixture.server.answer("POST " + own_path + "/notify", 200, R"({"status":"sent"})");
  fixture.server.answer(send_call, 200,
                        R"({"delivery_mode":"poll","method":"message/send","status":"queued"})");
  deliver(fixture, {message(1), message(2), message(3)});
  const auto with_id = [](int number) {
    return R"("activity_id":")" + message(number).activity_id + R"(")";
  };
  const std::vector<std::pair<std::string, std::string>> calls{
      {"inbox_peek", "{}"},
      {"wait_for_message", R"({"timeout_secs":0})"},
      {"inbox_pop", "{" + with_id(1) + "}"},
      {"reply", "{" + with_id(2) + R"(,"text":"yes"})"},
      {"delegate_task", R"({"workspace_id":")" + peer + R"(","task":"count"})"}};
  for (const auto& [name, arguments] : calls) {
    CAPTURE(name);
    const Writer writer(fixture, std::chrono::seconds(3));
    const mcp::ToolResult result = fixture.call(name, arguments);
    CAPTURE(result.text);
    CHECK_FALSE(result.is_error);
    fixture.clock.advance(std::chrono::seconds(3));
    fixture.settle();
  }
  const auto waiting = fixture.inbox().messages.peek(10);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting[0].activity_id == message(3).activity_id);
  workspace::Message answer = message(4);
  answer.peer_id = peer;
  answer.task_id = parsed(fixture.server.requests(send_call).at(0).body)
                       .root()["params"]["message"]["messageId"]
                       .string_or("");
  deliver(fixture, {answer});
  CHECK(fixture.inbox().messages.find(answer.activity_id)->task == "count");
}

TEST_CASE("another process that keeps writing is reported") {
  Fixture fixture;
  deliver(fixture, {message(1)});
  const Writer writer(fixture, std::chrono::hours(1));
  for (const std::string name : {"wait_for_message", "inbox_pop"}) {
    const auto start = fixture.clock.now();
    const std::string arguments = name == "inbox_pop"
                                      ? R"({"activity_id":")" + message(1).activity_id + R"("})"
                                      : R"({"timeout_secs":0})";
    const mcp::ToolResult result = fixture.call(name, arguments);
    CHECK(result.is_error);
    CHECK(contains(result.text, "Another process is writing to it: try again."));
    CHECK(fixture.clock.now() - start >= timing.store_patience);
    CHECK(fixture.clock.now() - start < timing.store_patience + std::chrono::seconds(1));
  }
}

TEST_CASE("the inbox reports a disabled workspace, and still shows its messages") {
  Fixture fixture;
  deliver(fixture, {message(1)});
  fixture.workspaces->first().disable(workspace::Workspace::Use::rejected, "it was removed");
  const auto start = fixture.clock.now();
  CHECK(contains(fixture.call("wait_for_message").text, "it was removed"));
  CHECK(contains(fixture.call("inbox_peek").text, message(1).activity_id));
  fixture.workspaces->remove(message(1).activity_id);
  for (const char* tool : {"wait_for_message", "inbox_peek"}) {
    const mcp::ToolResult result = fixture.call(tool);
    CHECK(result.is_error);
    CHECK(contains(result.text, "it was removed"));
  }
  CHECK(fixture.clock.now() == start);
}

TEST_CASE("a wait ends when the last workspace goes out of use") {
  Fixture fixture;
  FakeCall call("{}");
  std::optional<mcp::ToolResult> result;
  asio::co_spawn(fixture.loop, keep_result(fixture.tool("wait_for_message").handler(call), result),
                 [](std::exception_ptr) {});
  fixture.loop.poll();
  CHECK_FALSE(result);
  fixture.workspaces->first().disable(workspace::Workspace::Use::rejected, "it was removed");
  fixture.loop.restart();
  fixture.loop.poll();
  REQUIRE(result);
  CHECK(result->is_error);
}
