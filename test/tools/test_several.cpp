// Several workspaces in one process: which of them acts, and how the agent knows.

#include "tools/channel_push.hpp"
#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string second = "33333333-3333-4333-8333-33333333333c";

struct Several : Fixture {
  Several() : Fixture(true, {second}) {}
  workspace::Inbox& second_inbox() { return workspaces->find(second)->inbox; }
};

workspace::Message message(int number, const std::string& created_at,
                           const std::string& peer_id = {}) {
  workspace::Message m;
  m.activity_id = "00000000-0000-4000-8000-00000000000" + std::to_string(number);
  m.text = "hi";
  m.peer_id = peer_id;
  m.kind = peer_id.empty() ? "canvas_user" : "peer_agent";
  m.method = "message/send";
  m.created_at = created_at;
  return m;
}

/// The callers, other than tools, that ask all workspaces.
struct Asked {
  explicit Asked(Fixture& fixture) {
    for (const mcp::Resource& resource : tools::make_resources(*fixture.services)) {
      if (resource.uri == "molecule://workspace") read = resource.read;
    }
    for (const mcp::Prompt& prompt : tools::make_prompts(*fixture.services)) {
      if (prompt.name == "delegate") complete = prompt.arguments.at(1).complete;
    }
  }
  FakeCall call{"{}"};
  decltype(mcp::Resource::read) read;
  mcp::Completer complete;
};

constexpr const char* memory_reply = R"({"id":"m1","scope":"LOCAL"})";

}  // namespace

TEST_CASE("several: only then are there extra arguments") {
  Fixture one;
  Several several;
  for (const char* name :
       {"delegate_task", "delegate_task_async", "check_task_status", "get_workspace_info",
        "commit_memory", "recall_memory", "send_message_to_user", "list_peers"}) {
    CAPTURE(name);
    CHECK_FALSE(contains(one.tool(name).input_schema, "source_workspace_id"));
    const json::Document schema = parsed(several.tool(name).input_schema);
    CHECK(schema.root()["properties"]["source_workspace_id"].is_object());
  }
}

TEST_CASE("several: a named workspace acts, else the first") {
  Several fixture;
  const std::string first_call = "POST " + own_path + "/memories";
  const std::string second_call = "POST /workspaces/" + second + "/memories";
  fixture.server.answer(first_call, 201, memory_reply);
  fixture.server.answer(second_call, 201, memory_reply);
  CHECK_FALSE(fixture.call("commit_memory", R"({"content":"x"})").is_error);
  CHECK(fixture.server.requests(first_call).size() == 1);
  CHECK_FALSE(fixture
                  .call("commit_memory", R"({"content":"x","source_workspace_id":" )" +
                                             text::lower(second) + R"("})")
                  .is_error);
  CHECK(fixture.server.requests(second_call).size() == 1);
}

TEST_CASE(
    "several: an unknown workspace is refused before any call, with a list of the known ones") {
  Several fixture;
  const mcp::ToolResult result =
      fixture.call("send_message_to_user", R"({"message":"x","workspace_id":")" + peer + R"("})");
  CHECK(result.is_error);
  CHECK(contains(result.text, own));
  CHECK(contains(result.text, second));
  CHECK(fixture.server.requests().empty());
}

TEST_CASE("several: a task goes out from the workspace that knows the peer") {
  Several fixture;
  const std::string call = "POST /workspaces/" + second + "/delegate";
  fixture.server.answer(call, 202, R"({"delegation_id":"d1","status":"delegated"})");
  fixture.second_inbox().messages.store({message(1, "2026-05-01T00:00:00Z", peer)},
                                        message(1, "").activity_id);
  const std::string arguments = R"({"workspace_id":")" + peer + R"(","task":"do it"})";
  CHECK_FALSE(fixture.call("delegate_task_async", arguments).is_error);
  CHECK(fixture.server.requests(call).size() == 1);
}

TEST_CASE("several: the inbox tools see all inboxes, oldest first, and say who received") {
  Several fixture;
  fixture.inbox().messages.store({message(1, "2026-05-01T00:00:02Z")}, message(1, "").activity_id);
  fixture.second_inbox().messages.store({message(2, "2026-05-01T00:00:01Z")},
                                        message(2, "").activity_id);
  const json::Document oldest = parsed(fixture.call("wait_for_message").text);
  CHECK(oldest.root()["activity_id"].string() == message(2, "").activity_id);
  CHECK(oldest.root()["arrival_workspace_id"].string() == second);
  const json::Document all = parsed(fixture.call("inbox_peek").text);
  REQUIRE(all.root().items().size() == 2);
  CHECK(all.root().items()[1]["arrival_workspace_id"].string() == own);
  const std::string pop = R"({"activity_id":")" + message(2, "").activity_id + R"("})";
  CHECK(contains(fixture.call("inbox_pop", pop).text, R"("removed":true)"));
  CHECK(contains(fixture.call("inbox_pop", pop).text, R"("removed":false)"));
  CHECK(parsed(fixture.call("inbox_peek").text).root().items().size() == 1);
}

TEST_CASE("several: list_peers asks all of them, and one that fails does not affect the others") {
  Several fixture;
  fixture.server.answer("GET /registry/" + own + "/peers", 200,
                        R"([{"id":")" + peer + R"(","name":"Ann","status":"online","role":"r"}])");
  fixture.server.answer("GET /registry/" + second + "/peers", 401, R"({"error":"bad token"})");
  const mcp::ToolResult result = fixture.call("list_peers");
  CHECK_FALSE(result.is_error);
  CHECK(contains(result.text, "Ann"));
  CHECK(contains(result.text, "through: " + own));
  CHECK(contains(result.text, "workspace " + second + ": "));
  CHECK(contains(result.text, "authentication failed"));
}

TEST_CASE("several: only a disabled workspace fails, and says why") {
  Several fixture;
  fixture.workspaces->find(second)->disable(workspace::Workspace::Use::rejected,
                                            "its token was rejected");
  const std::string with = R"("source_workspace_id":")" + second + R"("})";
  const mcp::ToolResult refused = fixture.call("commit_memory", R"({"content":"x",)" + with);
  CHECK(refused.is_error);
  CHECK(contains(refused.text, "its token was rejected"));
  fixture.server.answer("GET /registry/" + own + "/peers", 200, "[]");
  const mcp::ToolResult peers = fixture.call("list_peers");
  CHECK_FALSE(peers.is_error);
  CHECK(contains(peers.text, "its token was rejected"));
  CHECK(contains(peers.text, own + " has no peers"));
}

TEST_CASE("several: a peer is known through the workspace that it wrote to, even once answered") {
  Several fixture;
  const std::string call = "POST /workspaces/" + second + "/delegate";
  fixture.server.answer(call, 202, R"({"delegation_id":"d1","status":"delegated"})");
  fixture.second_inbox().messages.store({message(1, "2026-05-01T00:00:00Z", peer)},
                                        message(1, "").activity_id);
  SUBCASE("waited for") {
    fixture.call("wait_for_message");
  }
  SUBCASE("looked at") {
    fixture.call("inbox_peek");
  }
  SUBCASE("pushed") {
    tools::ChannelPush push(*fixture.services, [](std::string_view, std::string_view) {});
    TaskGroup pushing(fixture.loop.get_executor(), fixture.clock,
                      [](std::string_view, std::exception_ptr) {});
    pushing.spawn("channel push", push.run());
    fixture.loop.restart();
    fixture.loop.poll();
    pushing.cancel_all();
    run(fixture.loop, pushing.join());
  }
  CHECK(fixture.workspaces->remove(message(1, "").activity_id));
  const std::string arguments = R"({"workspace_id":")" + peer + R"(","task":"do it"})";
  CHECK_FALSE(fixture.call("delegate_task_async", arguments).is_error);
  CHECK(fixture.server.requests(call).size() == 1);
}

TEST_CASE("several: a message goes to the user that wrote last") {
  Several fixture;
  const std::string to_first = "POST " + own_path + "/notify";
  const std::string to_second = "POST /workspaces/" + second + "/notify";
  fixture.server.answer(to_first, 200, R"({"status":"sent"})");
  fixture.server.answer(to_second, 200, R"({"status":"sent"})");
  fixture.call("send_message_to_user", R"({"message":"hello"})");
  CHECK(fixture.server.requests(to_first).size() == 1);
  fixture.inbox().messages.store({message(2, "2026-05-01T00:00:02Z")}, message(2, "").activity_id);
  fixture.second_inbox().messages.store({message(1, "2026-05-01T00:00:01Z")},
                                        message(1, "").activity_id);
  std::string look;
  SUBCASE("waited for") {
    look = "wait_for_message";
  }
  SUBCASE("the oldest that was looked at") {
    look = "inbox_peek";
  }
  fixture.call(look);
  fixture.call("send_message_to_user", R"({"message":"answer"})");
  CHECK(fixture.server.requests(to_second).size() == 1);
  CHECK(fixture.workspaces->remove(message(1, "").activity_id));
  fixture.clock.advance(std::chrono::seconds(1));
  fixture.call(look);
  fixture.call("send_message_to_user", R"({"message":"another answer"})");
  CHECK(fixture.server.requests(to_first).size() == 2);
}

TEST_CASE("several: a disabled workspace is never the default, and the usable ones are named") {
  Several fixture;
  fixture.workspaces->first().disable(workspace::Workspace::Use::rejected,
                                      "its token was rejected");
  const std::string memories = "POST /workspaces/" + second + "/memories";
  const std::string notes = "POST /workspaces/" + second + "/notify";
  fixture.server.answer(memories, 201, memory_reply);
  fixture.server.answer(notes, 200, R"({"status":"sent"})");
  platform::Peer ann;
  ann.id = peer;
  fixture.workspaces->first().know_peer(ann);
  CHECK(fixture.workspaces->through_peer(peer) == nullptr);
  fixture.call("commit_memory", R"({"content":"x"})");
  CHECK(fixture.server.requests(memories).size() == 1);
  fixture.call("send_message_to_user", R"({"message":"x"})");
  CHECK(fixture.server.requests(notes).size() == 1);
  const auto refused = [&fixture](const char* tool, const std::string& begin,
                                  const char* argument) {
    const mcp::ToolResult result =
        fixture.call(tool, begin + R"(,")" + argument + R"(":")" + own + R"("})");
    CHECK(result.is_error);
    CHECK(contains(result.text, "its token was rejected"));
    CHECK(contains(result.text, "as source_workspace_id: " + second));
  };
  refused("commit_memory", R"({"content":"x")", "source_workspace_id");
  refused("send_message_to_user", R"({"message":"x")", "source_workspace_id");
  refused("send_message_to_user", R"({"message":"x")", "workspace_id");
}

TEST_CASE("several: a wait that ends without a message says which of them receives nothing") {
  Several fixture;
  const char* at_once = R"({"timeout_secs":0})";
  CHECK_FALSE(contains(fixture.call("wait_for_message", at_once).text, "note"));
  fixture.workspaces->find(second)->disable(workspace::Workspace::Use::rejected,
                                            "its token was rejected");
  const mcp::ToolResult result = fixture.call("wait_for_message", at_once);
  CHECK_FALSE(result.is_error);
  const json::Document got = parsed(result.text);
  CHECK(got.root()["timeout"].boolean().value_or(false));
  CHECK(contains(got.root()["note"].string_or(""), "its token was rejected"));
  CHECK(fixture.call("inbox_peek").text == "[]");
}

TEST_CASE("several: a workspace that is out of use is not asked") {
  Several fixture;
  fixture.workspaces->find(second)->disable(workspace::Workspace::Use::rejected,
                                            "its token was rejected");
  fixture.server.answer("GET " + own_path, 200, R"({"id":"x"})");
  fixture.server.answer("GET /registry/" + own + "/peers", 200, R"([{"id":"p1","name":"Ann"}])");
  Asked asked(fixture);
  const mcp::ReadResult result = run(fixture.loop, asked.read(asked.call));
  const json::Document info = parsed(result.contents.front().data);
  REQUIRE(info.root()["workspaces"].items().size() == 2);
  CHECK(contains(info.root()["workspaces"].items()[1]["error"].string_or(""), "was rejected"));
  const mcp::Completion peers = run(fixture.loop, asked.complete(asked.call, "a"));
  CHECK(peers.values == std::vector<std::string>{"p1"});
  for (const Received& request : fixture.server.requests()) {
    CHECK_FALSE(contains(request.target, second));
  }
}

TEST_CASE("several: a slow workspace is asked at the same time as the others") {
  Several fixture;
  Event held(fixture.clock);
  for (const std::string& id : {own, second}) {
    fixture.server.answer("GET /workspaces/" + id, Canned{.body = R"({"id":"x"})", .held = &held});
    fixture.server.answer("GET /registry/" + id + "/peers", Canned{.body = "[]", .held = &held});
  }
  Asked asked(fixture);
  std::optional<mcp::ReadResult> info;
  std::optional<mcp::Completion> peers;
  const auto ignore = [](std::exception_ptr) {};
  asio::co_spawn(fixture.loop, keep_result(asked.read(asked.call), info), ignore);
  asio::co_spawn(fixture.loop, keep_result(asked.complete(asked.call, ""), peers), ignore);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (fixture.server.requests().size() < 4 && std::chrono::steady_clock::now() < until) {
    fixture.loop.run_one_for(std::chrono::milliseconds(100));
  }
  CHECK(fixture.server.requests().size() == 4);
  held.notify_all();
  fixture.settle();
  CHECK(info);
  CHECK(peers);
}
