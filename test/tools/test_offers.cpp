// Resources, prompts and completions: what a host's user can pick without a tool call.

#include "tools/fixture.hpp"

using namespace molecule;
using namespace molecule::test;

namespace {

const std::string second = "33333333-3333-4333-8333-33333333333c";
const std::string peers_call = "GET /registry/" + own + "/peers";
const std::string info_call = "GET " + own_path;

workspace::Message message(int number) {
  workspace::Message m;
  m.activity_id = "0000000" + std::to_string(number) + "-0000-4000-8000-000000000000";
  m.text = "number " + std::to_string(number);
  m.kind = "canvas_user";
  m.method = "message/send";
  m.created_at = "2026-05-01T12:00:00Z";
  return m;
}

struct Offers : Fixture {
  using Fixture::Fixture;
  std::vector<mcp::Resource> resources = tools::make_resources(*services);
  std::vector<mcp::ResourceTemplate> templates = tools::make_resource_templates(*services);
  std::vector<mcp::Prompt> prompts = tools::make_prompts(*services);

  json::Document read(std::string_view uri) {
    FakeCall call("{}");
    const auto found = std::ranges::find(resources, uri, &mcp::Resource::uri);
    REQUIRE(found != resources.end());
    const mcp::ReadResult result = run(loop, found->read(call));
    REQUIRE(result.contents.size() == 1);
    CHECK(result.contents.front().mime_type == "application/json");
    return parsed(result.contents.front().data);
  }
  mcp::PromptResult prompt(std::string_view name, std::string_view arguments = "{}") {
    FakeCall call(arguments);
    return run(loop, std::ranges::find(prompts, name, &mcp::Prompt::name)->get(call));
  }
  std::vector<std::string> complete(const mcp::Completer& completer, std::string typed) {
    FakeCall call("{}");
    return run(loop, completer(call, std::move(typed))).values;
  }
};

std::string text_of(const mcp::PromptResult& result) {
  return std::get<mcp::TextContent>(result.messages.front().content).text;
}

}  // namespace

TEST_CASE("a resource equals the result of its tool") {
  Offers fixture;
  fixture.inbox().messages.store({message(1), message(2)}, message(2).activity_id);
  fixture.server.answer(peers_call, 200, R"([{"id":"p1","name":"Ann","status":"online"}])");
  fixture.server.answer(info_call, 200, R"({"id":"x","name":"N"})");
  const json::Document inbox = fixture.read("molecule://inbox");
  CHECK(inbox.root()["messages"].items().size() == 2);
  CHECK(fixture.read("molecule://peers").root()["peers"].items()[0]["name"].string_or("") == "Ann");
  CHECK(fixture.read("molecule://workspace").root()["name"].string_or("") == "N");
}

TEST_CASE("a resource that cannot be read says why") {
  Offers fixture;
  fixture.server.answer(peers_call, 500, R"({"error":"oops"})");
  fixture.server.answer(info_call, 410, R"({"id":"x"})");
  CHECK(contains(fixture.read("molecule://peers").root()["error"].string_or(""), "oops"));
  CHECK(contains(fixture.read("molecule://workspace").root()["error"].string_or(""), "removed"));
}

TEST_CASE("several workspaces are listed as such") {
  Offers fixture(true, {second});
  fixture.server.answer(info_call, 200, R"({"id":"x"})");
  fixture.server.answer("GET /workspaces/" + second, 500, "{}");
  const json::Document read = fixture.read("molecule://workspace");
  REQUIRE(read.root()["workspaces"].items().size() == 2);
  CHECK(read.root()["workspaces"].items()[0]["id"].string_or("") == "x");
  CHECK(read.root()["workspaces"].items()[1]["error"].is_string());
}

TEST_CASE("one message is a resource of its own while it waits") {
  Offers fixture;
  fixture.inbox().messages.store({message(1)}, message(1).activity_id);
  REQUIRE(fixture.templates.size() == 1);
  const auto read = [&fixture](const std::string& id) {
    FakeCall call(R"({"activity_id":")" + id + R"("})");
    return run(fixture.loop, fixture.templates.front().read(call)).contents;
  };
  REQUIRE(read(message(1).activity_id).size() == 1);
  const json::Document found = parsed(read(message(1).activity_id).front().data);
  CHECK(found.root()["text"].string_or("") == "number 1");
  CHECK(read("unknown").empty());
  fixture.inbox().messages.remove(message(1).activity_id);
  CHECK(read(message(1).activity_id).empty());
}

TEST_CASE("without an inbox its resources and prompts are not offered") {
  const Offers fixture(false);
  CHECK(fixture.resources.size() == 2);
  CHECK(fixture.templates.empty());
  CHECK(fixture.prompts.size() == 2);
}

TEST_CASE("the inbox resource changes with each message, and so does the removed message's") {
  CHECK(tools::changed_resources({}) == std::vector<std::string>{"molecule://inbox"});
  CHECK(tools::changed_resources({"a", "b"}) ==
        std::vector<std::string>{"molecule://inbox", "molecule://inbox/a", "molecule://inbox/b"});
}

TEST_CASE("every change of the messages is reported, with the resources that it changed") {
  Fixture fixture;
  std::vector<std::string> updated;
  fixture.inbox().messages.store({message(1), message(2)}, message(2).activity_id);
  fixture.workspaces->first().changes.messages_changed();
  fixture.tasks.spawn("resources", tools::report_resource_changes(
                                       *fixture.services, [&updated](const std::string& uri) {
                                         updated.push_back(uri);
                                       }));
  const auto turn = [&fixture] {
    fixture.loop.restart();
    fixture.loop.poll();
  };
  turn();
  CHECK(updated == std::vector<std::string>{"molecule://inbox"});
  updated.clear();
  fixture.workspaces->first().changes.changed();
  turn();
  CHECK(updated.empty());
  REQUIRE(fixture.workspaces->remove(message(2).activity_id));
  turn();
  CHECK(updated ==
        std::vector<std::string>{"molecule://inbox", "molecule://inbox/" + message(2).activity_id});
}

TEST_CASE("answer_inbox brings the messages along") {
  Offers fixture;
  fixture.inbox().messages.store({message(1)}, message(1).activity_id);
  const mcp::PromptResult result = fixture.prompt("answer_inbox");
  REQUIRE(result.messages.size() == 2);
  CHECK(contains(text_of(result), "reply"));
  CHECK(contains(text_of(result), "inbox_pop"));
  CHECK_FALSE(contains(text_of(result), "send_message_to_user"));
  const auto& embedded = std::get<mcp::EmbeddedResource>(result.messages[1].content);
  CHECK(embedded.resource.uri == "molecule://inbox");
  CHECK(contains(embedded.resource.data, "number 1"));
}

TEST_CASE("a message that another session answers is marked, and left out of the prompt") {
  Offers fixture;
  fixture.inbox().messages.store({message(1), message(2)}, message(2).activity_id);
  workspace::Inbox other(fixture.folder, fixture.clock, test::timing);
  CHECK(other.leases.lease(message(1).activity_id));
  const auto marked = [](const json::Value item) {
    return item["with_another_session"].boolean().value_or(false);
  };
  const json::Document peeked = parsed(fixture.call("inbox_peek").text);
  CHECK(marked(peeked.root().items()[0]));
  CHECK_FALSE(peeked.root().items()[1]["with_another_session"].present());
  CHECK(marked(fixture.read("molecule://inbox").root()["messages"].items()[0]));
  FakeCall call(R"({"activity_id":")" + message(1).activity_id + R"("})");
  const mcp::ReadResult one = run(fixture.loop, fixture.templates.front().read(call));
  CHECK(marked(parsed(one.contents.front().data).root()));
  const mcp::PromptResult result = fixture.prompt("answer_inbox");
  const auto& embedded = std::get<mcp::EmbeddedResource>(result.messages[1].content);
  CHECK(contains(embedded.resource.data, "number 2"));
  CHECK_FALSE(contains(embedded.resource.data, "number 1"));
  const std::string pop = R"({"activity_id":")" + message(1).activity_id + R"("})";
  CHECK(contains(fixture.call("inbox_pop", pop).text, "another session"));
  other.release();
  CHECK(contains(fixture.call("inbox_pop", pop).text, R"("removed":true)"));
}

TEST_CASE("delegate names the task, and the peer if one is given") {
  Offers fixture;
  const std::string chosen = text_of(fixture.prompt("delegate", R"({"task":"count"})"));
  CHECK(contains(chosen, "The task: count"));
  CHECK(contains(chosen, "list_peers"));
  const std::string given =
      text_of(fixture.prompt("delegate", R"({"task":"count","workspace_id":")" + peer + R"("})"));
  CHECK(contains(given, peer));
  CHECK_FALSE(contains(given, "list_peers"));
}

TEST_CASE("remember is LOCAL by default") {
  Offers fixture;
  CHECK(contains(text_of(fixture.prompt("remember")), "scope LOCAL"));
  const std::string team =
      text_of(fixture.prompt("remember", R"({"scope":"TEAM","about":"names"})"));
  CHECK(contains(team, "scope TEAM, especially: names"));
}

TEST_CASE("peers complete by id and by name") {
  Offers fixture;
  fixture.server.answer(peers_call, 200,
                        R"([{"id":"22aa","name":"Ann"},{"id":"33bb","name":"Änne"}])");
  const mcp::Completer& completer =
      std::ranges::find(fixture.prompts, "delegate", &mcp::Prompt::name)->arguments[1].complete;
  CHECK(fixture.complete(completer, "").size() == 2);
  CHECK(fixture.complete(completer, "22A") == std::vector<std::string>{"22aa"});
  CHECK(fixture.complete(completer, "ann") == std::vector<std::string>{"22aa"});
  CHECK(fixture.complete(completer, "bob").empty());
  fixture.server.forget(peers_call);
  fixture.server.answer(peers_call, 500, "{}");
  CHECK(fixture.complete(completer, "").empty());
}

TEST_CASE("scopes and waiting messages complete") {
  Offers fixture;
  fixture.inbox().messages.store({message(1), message(2)}, message(2).activity_id);
  const mcp::Completer& scope =
      std::ranges::find(fixture.prompts, "remember", &mcp::Prompt::name)->arguments[0].complete;
  CHECK(fixture.complete(scope, "") == std::vector<std::string>{"LOCAL", "TEAM", "GLOBAL"});
  CHECK(fixture.complete(scope, "g") == std::vector<std::string>{"GLOBAL"});
  const mcp::Completer& activity = fixture.templates.front().completers.at("activity_id");
  CHECK(fixture.complete(activity, "00000002") == std::vector<std::string>{message(2).activity_id});
}
