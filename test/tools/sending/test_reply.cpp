#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string activity = "00000000-0000-4000-8000-000000000001";
const std::string reply_arguments = R"({"activity_id":")" + activity + R"(","text":"answer"})";
const std::string task_arguments = R"({"workspace_id":")" + peer + R"(","task":"help me"})";

workspace::Message question() {
  workspace::Message m;
  m.activity_id = activity;
  m.text = "question";
  m.peer_id = peer;
  m.kind = "peer_agent";
  m.method = "message/send";
  m.created_at = "2026-05-01T00:00:00Z";
  return m;
}

/// Lets the peer answer after `seconds`, and returns whether another session was given the message
/// before.
class SlowCall final : public FakeCall {
 public:
  SlowCall(Fixture& fixture, std::string_view arguments, double seconds)
      : FakeCall(arguments),
        other_(fixture.folder, fixture.clock, timing),
        answered_(fixture.clock),
        seconds_(seconds) {
    fixture.server.answer(send_call, Canned{.body = R"({"result":"thanks"})", .held = &answered_});
  }
  void progress(double value, std::optional<double>, std::string_view) override {
    other_.leases.free();
    given_away = given_away || other_.leases.next().has_value();
    if (value >= seconds_) answered_.notify_all();
  }
  bool given_away = false;

 private:
  workspace::Inbox other_;
  Event answered_;
  double seconds_;
};

}  // namespace

TEST_CASE("a message that is being answered stays leased, however long that takes") {
  Fixture fixture;
  fixture.inbox().messages.store({question()}, activity);
  CHECK(fixture.inbox().leases.lease(activity));
  fixture.clock.advance(std::chrono::seconds(50));
  SlowCall call(fixture, reply_arguments, 660);
  const mcp::ToolResult result = fixture.call("reply", call, std::chrono::seconds(15));
  CHECK_FALSE(result.is_error);
  CHECK(contains(result.text, "thanks"));
  CHECK_FALSE(call.given_away);
  CHECK(fixture.inbox().messages.size() == 0);
}

TEST_CASE("a message stays with the session that asks a peer for help with it") {
  Fixture fixture;
  fixture.inbox().messages.store({question()}, activity);
  CHECK(fixture.inbox().leases.lease(activity));
  SlowCall call(fixture, task_arguments, 660);
  CHECK(fixture.call("delegate_task", call, std::chrono::seconds(15)).text == "thanks");
  CHECK_FALSE(call.given_away);
  // Afterwards it is no longer renewed.
  fixture.settle();
  fixture.clock.advance(workspace::Timing().lease + std::chrono::minutes(2));
  workspace::Inbox other(fixture.folder, fixture.clock, test::timing);
  CHECK(other.leases.free());
  CHECK(other.leases.next().has_value());
}

TEST_CASE("of two concurrent answers to one message the second is refused") {
  Fixture fixture;
  fixture.inbox().messages.store({question()}, activity);
  Event answered(fixture.clock);
  fixture.server.answer(send_call, Canned{.status = 500, .held = &answered});
  fixture.server.answer(send_call, 200, R"({"result":"thanks"})");
  FakeCall call(reply_arguments);
  std::optional<mcp::ToolResult> first;
  asio::co_spawn(fixture.loop, keep_result(fixture.tool("reply").handler(call), first),
                 [](std::exception_ptr) {});
  while (fixture.server.requests(send_call).empty()) fixture.loop.run_one();
  const mcp::ToolResult second = fixture.call("reply", reply_arguments);
  CHECK(second.is_error);
  CHECK(contains(second.text, "being sent already"));
  CHECK(fixture.server.requests(send_call).size() == 1);
  answered.notify_all();
  while (!first) fixture.loop.run_one();
  CHECK(first->is_error);
  // That one failed, and the agent may try again.
  CHECK_FALSE(fixture.call("reply", reply_arguments).is_error);
}
