#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string arguments = R"({"workspace_id":")" + peer + R"(","task":"do it"})";
const std::string delegate_call = "POST " + own_path + "/delegate";
const std::string reports_call = "POST " + own_path + "/activity";
const std::string rows_call = "GET " + own_path + "/delegations";

std::string message_id(const Received& request) {
  return std::string(parsed(request.body).root()["params"]["message"]["messageId"].string_or(""));
}

Canned dropped() {
  return Canned{.act = Canned::Act::reset};
}

}  // namespace

TEST_CASE("delegate_task gives the peer's answer and reports before and after") {
  Fixture fixture;
  fixture.server.answer(send_call, 200, R"({"result":{"parts":[{"kind":"text","text":"done"}]}})");
  const mcp::ToolResult result = fixture.call("delegate_task", arguments);
  CHECK(result.text == "done");
  CHECK_FALSE(result.is_error);
  fixture.settle();
  CHECK(fixture.server.requests(send_call).size() == 1);
  const auto reports = fixture.server.requests(reports_call);
  REQUIRE(reports.size() == 2);
  for (const Received& report : reports) {
    const json::Document body = parsed(report.body);
    CHECK(body.root()["activity_type"].string_or("") == "a2a_send");
    CHECK(body.root()["target_id"].string_or("") == peer);
    CHECK(body.root()["status"].string_or("") == "ok");
  }
  CHECK(fixture.failures.empty());
}

TEST_CASE("delegating to oneself is refused before any I/O, whatever the case of the id") {
  Fixture fixture;
  for (std::string id :
       {own, text::lower(own), std::string("11111111-1111-4111-8111-11111111111A")}) {
    for (const char* name : {"delegate_task", "delegate_task_async"}) {
      const auto result = fixture.call(name, R"({"workspace_id":")" + id + R"(","task":"t"})");
      CHECK(result.is_error);
      CHECK(contains(result.text, "your own workspace"));
    }
  }
  fixture.settle();
  CHECK(fixture.server.requests().empty());
  CHECK(fixture.server.connections() == 0);
}

TEST_CASE("transport errors are retried, always with the same messageId") {
  Fixture fixture;
  for (int i = 0; i < 4; ++i) fixture.server.answer(send_call, dropped());
  fixture.server.answer(send_call, 200, R"({"result":"at last"})");
  const auto start = fixture.clock.now();
  CHECK(fixture.call("delegate_task", arguments).text == "at last");
  const auto sent = fixture.server.requests(send_call);
  REQUIRE(sent.size() == 5);
  for (const Received& request : sent) CHECK(message_id(request) == message_id(sent.front()));
  CHECK(is_uuid(message_id(sent.front())));
  // 1 + 2 + 4 + 8 s, each ±25 %.
  const auto waited = fixture.clock.now() - start;
  CHECK(waited >= std::chrono::milliseconds(11'250));
  CHECK(waited <= std::chrono::milliseconds(18'750));
  // Another call is another message.
  CHECK(fixture.call("delegate_task", arguments).text == "at last");
  CHECK(message_id(fixture.server.requests(send_call).back()) != message_id(sent.front()));
}

TEST_CASE("after five tries the failure says what to do") {
  Fixture fixture;
  fixture.server.answer(send_call, dropped());
  const mcp::ToolResult result = fixture.call("delegate_task", arguments);
  CHECK(result.is_error);
  CHECK(contains(result.text, "5 tries"));
  CHECK(contains(result.text, peer));
  CHECK(contains(result.text, "may have received the task"));
  CHECK(fixture.server.requests(send_call).size() == 5);
  fixture.settle();
  const json::Document report = parsed(fixture.server.requests(reports_call).back().body);
  CHECK(report.root()["status"].string_or("") == "error");
  CHECK_FALSE(report.root()["error_detail"].string_or("").empty());
}

TEST_CASE("the platform's answers are not retried, and each says what to do") {
  struct Row {
    int status;
    std::string body;
    std::string part;
  };
  const std::vector<Row> rows{
      {401, R"({"error":"invalid caller auth token"})", "ask the user for a new one"},
      {402, R"({"error":"workspace budget limit exceeded"})", "budget"},
      {403, R"({"error":"access denied"})", "list_peers"},
      {404, R"({"error":"workspace not found"})", "list_peers"},
      {410, R"({"error":"workspace removed"})", "removed"},
      {413, R"({"error":"too big","truncated":true})", "send less"},
      {429, R"({"error":"rate limit exceeded","retry_after":17})", "17 s"},
      {503, R"({"error":"workspace has no URL","status":"offline"})", "again"},
      {200, "<html>hello</html>", "PLATFORM_URL"},
      {200, "[]", "does not match"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.status);
    Fixture fixture;
    fixture.server.answer(send_call, row.status, row.body);
    const mcp::ToolResult result = fixture.call("delegate_task", arguments);
    CHECK(result.is_error);
    CHECK(contains(result.text, row.part));
    CHECK(contains(result.text, fixture.server.url()));
    CHECK(fixture.server.requests(send_call).size() == 1);
  }
}

TEST_CASE("a queued task is not a failure, and must not be sent again") {
  Fixture fixture;
  fixture.server.answer(send_call, 200,
                        R"({"delivery_mode":"poll","method":"message/send","status":"queued"})");
  const mcp::ToolResult result = fixture.call("delegate_task", arguments);
  CHECK_FALSE(result.is_error);
  CHECK(contains(result.text, "Queued"));
  CHECK(contains(result.text, "inbox"));
  CHECK(contains(result.text, "Do not send"));
  CHECK(fixture.server.requests(send_call).size() == 1);
}

TEST_CASE("a peer's error is an error with its text") {
  Fixture fixture;
  fixture.server.answer(send_call, 200, R"({"error":{"code":-32000,"message":"out of tools"}})");
  const mcp::ToolResult result = fixture.call("delegate_task", arguments);
  CHECK(result.is_error);
  CHECK(contains(result.text, "out of tools"));
}

/// Calls `delegate_task` and cancels the call once the task is sent.
void leave_call(Fixture& fixture) {
  FakeCall call(arguments);
  asio::cancellation_signal cancel;
  std::optional<mcp::ToolResult> result;
  bool ended = false;
  asio::co_spawn(
      fixture.loop, keep_result(fixture.tool("delegate_task").handler(call), result),
      asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr) { ended = true; }));
  while (fixture.server.requests(send_call).empty()) fixture.loop.run_one();
  cancel.emit(asio::cancellation_type::terminal);
  while (!ended) fixture.loop.run_one();
  CHECK_FALSE(result);
}

TEST_CASE("the workload and the progress are correct while a peer works") {
  Fixture fixture;
  Event answered(fixture.clock);
  fixture.server.answer(send_call, Canned{.body = R"({"result":"late"})", .held = &answered});
  FakeCall call(arguments);
  asio::cancellation_signal cancel;
  std::exception_ptr error;
  std::optional<mcp::ToolResult> result;
  bool ended = false;
  asio::co_spawn(fixture.loop, keep_result(fixture.tool("delegate_task").handler(call), result),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e) {
                   error = e;
                   ended = true;
                 }));
  while (fixture.server.requests(send_call).empty()) fixture.loop.run_one();
  CHECK(fixture.workspaces->first().workload.active_tasks() == 1);
  CHECK(contains(fixture.workspaces->first().workload.current_task(), "do it"));
  for (int i = 1; i <= 3; ++i) {
    fixture.clock.advance(std::chrono::seconds(15));
    while (call.progressed.size() < static_cast<std::size_t>(i)) fixture.loop.run_one();
  }
  CHECK(call.progressed == std::vector<double>{15, 30, 45});
  cancel.emit(asio::cancellation_type::terminal);
  while (!ended) fixture.loop.run_one();
  CHECK(error != nullptr);
  CHECK(fixture.workspaces->first().workload.active_tasks() == 1);
  // The call is gone now; nothing may refer to it. The peer is still at work.
  fixture.clock.advance(std::chrono::seconds(30));
  answered.notify_all();
  fixture.settle();
  CHECK(call.progressed.size() == 3);
  CHECK(fixture.failures.empty());
  CHECK(fixture.workspaces->first().workload.active_tasks() == 0);
  const auto waiting = fixture.inbox().messages.peek(10);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting.front().text == "late");
  CHECK(waiting.front().kind == "delegation_result");
  CHECK(waiting.front().task == "do it");
  // The same call is the same task: its answer is there already.
  CHECK(fixture.call("delegate_task", arguments).text == "late");
  CHECK(fixture.server.requests(send_call).size() == 1);
  CHECK(fixture.inbox().messages.size() == 0);
}

TEST_CASE("a peer's error that comes after its call was cancelled still says that it is one") {
  Fixture fixture;
  Event answered(fixture.clock);
  fixture.server.answer(send_call,
                        Canned{.body = R"({"result":{"status":{"state":"canceled"},"parts":)"
                                       R"([{"kind":"text","text":"stopped by its user"}]}})",
                               .held = &answered});
  leave_call(fixture);
  answered.notify_all();
  fixture.settle();
  const auto waiting = fixture.inbox().messages.peek(10);
  REQUIRE(waiting.size() == 1);
  CHECK(waiting.front().kind == "delegation_result");
  CHECK(waiting.front().text == "The peer answered with an error: stopped by its user");
  CHECK(fixture.workspaces->first().workload.active_tasks() == 0);
  const mcp::ToolResult same = fixture.call("delegate_task", arguments);
  CHECK(same.is_error);
  CHECK(contains(same.text, "stopped by its user"));
  CHECK(fixture.server.requests(send_call).size() == 1);
}

TEST_CASE("a cancelled task counts while its peer is at work, and ends where it fails") {
  Fixture fixture;
  Event answered(fixture.clock);
  fixture.server.answer(send_call, Canned{.status = 502,
                                          .body = R"({"error":"failed to reach workspace agent"})",
                                          .held = &answered});
  leave_call(fixture);
  CHECK(fixture.workspaces->first().workload.active_tasks() == 1);
  answered.notify_all();
  fixture.settle();
  CHECK(fixture.workspaces->first().workload.active_tasks() == 0);
  CHECK(fixture.inbox().messages.size() == 0);
  CHECK(fixture.failures.empty());
  // Nothing was done: the same call is a new task.
  fixture.server.forget(send_call);
  fixture.server.answer(send_call, 200, R"({"result":"done"})");
  CHECK(fixture.call("delegate_task", arguments).text == "done");
}

TEST_CASE("reports that hang or fail neither delay nor fail the answer") {
  Fixture fixture;
  fixture.server.forget(reports_call);
  fixture.server.answer(reports_call, Canned{.act = Canned::Act::hang});
  fixture.server.answer(send_call, 200, R"({"result":"done"})");
  CHECK(fixture.call("delegate_task", arguments).text == "done");
  CHECK(fixture.tasks.size() >= 1);
}

TEST_CASE("delegate_task_async gives the delegation's id") {
  Fixture fixture;
  fixture.server.answer(delegate_call, 202,
                        R"({"delegation_id":"d-1","status":"delegated","target_id":"x"})");
  const mcp::ToolResult result = fixture.call("delegate_task_async", arguments);
  CHECK_FALSE(result.is_error);
  const json::Document body = parsed(result.text);
  CHECK(body.root()["delegation_id"].string_or("") == "d-1");
  CHECK(body.root()["workspace_id"].string_or("") == peer);
  CHECK(body.root()["status"].string_or("") == "delegated");
  CHECK(body.root()["note"].is_string());
}

TEST_CASE("an idempotent repeat is a success") {
  Fixture fixture;
  fixture.server.answer(delegate_call, 200,
                        R"({"delegation_id":"d-1","status":"completed","idempotent_hit":true})");
  const mcp::ToolResult result = fixture.call("delegate_task_async", arguments);
  CHECK_FALSE(result.is_error);
  CHECK(parsed(result.text).root()["delegation_id"].string_or("") == "d-1");
  CHECK(contains(result.text, "not sent a second time"));
}

TEST_CASE("the same task soon after has the same key; later, or another, it has its own") {
  Fixture fixture;
  fixture.server.answer(delegate_call, 202, R"({"delegation_id":"d","status":"delegated"})");
  const auto key = [&](const std::string& task) {
    fixture.call("delegate_task_async",
                 R"({"workspace_id":")" + peer + R"(","task":")" + task + R"("})");
    const json::Document body = parsed(fixture.server.requests(delegate_call).back().body);
    return std::string(body.root()["idempotency_key"].string_or(""));
  };
  const std::string first = key("a");
  CHECK_FALSE(first.empty());
  fixture.clock.advance(std::chrono::seconds(119));
  CHECK(key("a") == first);
  CHECK(key("b") != first);
  fixture.clock.advance(std::chrono::seconds(1));
  CHECK(key("a") != first);
}

TEST_CASE("a delegation that got no answer says that repeating is safe") {
  Fixture fixture;
  fixture.server.answer(delegate_call, dropped());
  const mcp::ToolResult result = fixture.call("delegate_task_async", arguments);
  CHECK(result.is_error);
  CHECK(contains(result.text, "will not run the task a second time"));
}

TEST_CASE("check_task_status finds a row, none, or lists the newest ten") {
  Fixture fixture;
  std::string rows = R"([{"id":"r2","delegation_id":"D-1","status":"completed",)"
                     R"("response_preview":"yes\u202e"},{"id":"r1","delegation_id":"D-1",)"
                     R"("status":"dispatched"})";
  for (int i = 0; i < 12; ++i) rows += R"(,{"id":"x","status":"pending"})";
  fixture.server.answer(rows_call, 200, rows + "]");
  const auto check = [&](const std::string& id) {
    return fixture.call("check_task_status",
                        R"({"workspace_id":")" + peer + R"(","task_id":")" + id + R"("})");
  };
  CHECK(check("d-1").text ==
        R"({"id":"r2","delegation_id":"D-1","status":"completed","response_preview":"yes"})");
  CHECK(check("d\\\"2").text == R"({"status":"not_found","delegation_id":"d\"2"})");
  const json::Document all = parsed(check("").text);
  CHECK(all.root()["delegations"].items().size() == 10);
  CHECK(all.root()["count"].integer() == 14);
  fixture.server.forget(rows_call);
  CHECK(check("d-1").is_error);
  fixture.server.answer(rows_call, 200, R"({"not":"a list"})");
  CHECK(check("d-1").is_error);
}
