// Resources, prompts and completions: what a host's user can pick without a tool call.

#include "house.hpp"

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

struct Offers : House {
  using House::House;
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

TEST_CASE("a resource is what the tool of its name gives") {
  Offers house;
  house.inbox().store({message(1), message(2)}, message(2).activity_id);
  house.server.answer(peers_call, 200, R"([{"id":"p1","name":"Ann","status":"online"}])");
  house.server.answer(info_call, 200, R"({"id":"x","name":"N"})");
  const json::Document inbox = house.read("molecule://inbox");
  CHECK(inbox.root()["messages"].items().size() == 2);
  CHECK(house.read("molecule://peers").root()["peers"].items()[0]["name"].string_or("") == "Ann");
  CHECK(house.read("molecule://workspace").root()["name"].string_or("") == "N");
}

TEST_CASE("a resource that cannot be read says why") {
  Offers house;
  house.server.answer(peers_call, 500, R"({"error":"oops"})");
  house.server.answer(info_call, 410, R"({"id":"x"})");
  CHECK(contains(house.read("molecule://peers").root()["error"].string_or(""), "oops"));
  CHECK(contains(house.read("molecule://workspace").root()["error"].string_or(""), "removed"));
}

TEST_CASE("several workspaces are listed as such") {
  Offers house(true, {second});
  house.server.answer(info_call, 200, R"({"id":"x"})");
  house.server.answer("GET /workspaces/" + second, 500, "{}");
  const json::Document read = house.read("molecule://workspace");
  REQUIRE(read.root()["workspaces"].items().size() == 2);
  CHECK(read.root()["workspaces"].items()[0]["id"].string_or("") == "x");
  CHECK(read.root()["workspaces"].items()[1]["error"].is_string());
}

TEST_CASE("one message is a resource of its own while it waits") {
  Offers house;
  house.inbox().store({message(1)}, message(1).activity_id);
  REQUIRE(house.templates.size() == 1);
  const auto read = [&house](const std::string& id) {
    FakeCall call(R"({"activity_id":")" + id + R"("})");
    return run(house.loop, house.templates.front().read(call)).contents;
  };
  REQUIRE(read(message(1).activity_id).size() == 1);
  const json::Document found = parsed(read(message(1).activity_id).front().data);
  CHECK(found.root()["text"].string_or("") == "number 1");
  CHECK(read("unknown").empty());
  house.inbox().pop(message(1).activity_id);
  CHECK(read(message(1).activity_id).empty());
}

TEST_CASE("without an inbox nothing of it is offered") {
  const Offers house(false);
  CHECK(house.resources.size() == 2);
  CHECK(house.templates.empty());
  CHECK(house.prompts.size() == 2);
}

TEST_CASE("the inbox changes with each message, and what was popped itself") {
  CHECK(tools::changed_resources({}) == std::vector<std::string>{"molecule://inbox"});
  CHECK(tools::changed_resources({"a", "b"}) ==
        std::vector<std::string>{"molecule://inbox", "molecule://inbox/a", "molecule://inbox/b"});
}

TEST_CASE("answer_inbox brings the messages along") {
  Offers house;
  house.inbox().store({message(1)}, message(1).activity_id);
  const mcp::PromptResult result = house.prompt("answer_inbox");
  REQUIRE(result.messages.size() == 2);
  CHECK(contains(text_of(result), "reply"));
  CHECK(contains(text_of(result), "inbox_pop"));
  CHECK_FALSE(contains(text_of(result), "send_message_to_user"));
  const auto& embedded = std::get<mcp::EmbeddedResource>(result.messages[1].content);
  CHECK(embedded.resource.uri == "molecule://inbox");
  CHECK(contains(embedded.resource.data, "number 1"));
}

TEST_CASE("what another session answers is marked, and left out of the prompt") {
  Offers house;
  house.inbox().store({message(1), message(2)}, message(2).activity_id);
  workspace::Inbox other(house.folder, house.clock);
  CHECK(other.lease(message(1).activity_id));
  const auto marked = [](const json::Value item) {
    return item["with_another_session"].boolean().value_or(false);
  };
  const json::Document peeked = parsed(house.call("inbox_peek").text);
  CHECK(marked(peeked.root().items()[0]));
  CHECK_FALSE(peeked.root().items()[1]["with_another_session"].present());
  CHECK(marked(house.read("molecule://inbox").root()["messages"].items()[0]));
  FakeCall call(R"({"activity_id":")" + message(1).activity_id + R"("})");
  const mcp::ReadResult one = run(house.loop, house.templates.front().read(call));
  CHECK(marked(parsed(one.contents.front().data).root()));
  const mcp::PromptResult result = house.prompt("answer_inbox");
  const auto& embedded = std::get<mcp::EmbeddedResource>(result.messages[1].content);
  CHECK(contains(embedded.resource.data, "number 2"));
  CHECK_FALSE(contains(embedded.resource.data, "number 1"));
  const std::string pop = R"({"activity_id":")" + message(1).activity_id + R"("})";
  CHECK(contains(house.call("inbox_pop", pop).text, R"("removed":true)"));
}

TEST_CASE("delegate names the task, and the peer where one is given") {
  Offers house;
  const std::string chosen = text_of(house.prompt("delegate", R"({"task":"count"})"));
  CHECK(contains(chosen, "The task: count"));
  CHECK(contains(chosen, "list_peers"));
  const std::string given =
      text_of(house.prompt("delegate", R"({"task":"count","workspace_id":")" + peer + R"("})"));
  CHECK(contains(given, peer));
  CHECK_FALSE(contains(given, "list_peers"));
}

TEST_CASE("remember is local unless told otherwise") {
  Offers house;
  CHECK(contains(text_of(house.prompt("remember")), "scope LOCAL"));
  const std::string team = text_of(house.prompt("remember", R"({"scope":"TEAM","about":"names"})"));
  CHECK(contains(team, "scope TEAM, above all: names"));
}

TEST_CASE("peers complete by id and by name") {
  Offers house;
  house.server.answer(peers_call, 200,
                      R"([{"id":"22aa","name":"Ann"},{"id":"33bb","name":"Änne"}])");
  const mcp::Completer& completer =
      std::ranges::find(house.prompts, "delegate", &mcp::Prompt::name)->arguments[1].complete;
  CHECK(house.complete(completer, "").size() == 2);
  CHECK(house.complete(completer, "22A") == std::vector<std::string>{"22aa"});
  CHECK(house.complete(completer, "ann") == std::vector<std::string>{"22aa"});
  CHECK(house.complete(completer, "bob").empty());
  house.server.forget(peers_call);
  house.server.answer(peers_call, 500, "{}");
  CHECK(house.complete(completer, "").empty());
}

TEST_CASE("scopes and waiting messages complete") {
  Offers house;
  house.inbox().store({message(1), message(2)}, message(2).activity_id);
  const mcp::Completer& scope =
      std::ranges::find(house.prompts, "remember", &mcp::Prompt::name)->arguments[0].complete;
  CHECK(house.complete(scope, "") == std::vector<std::string>{"LOCAL", "TEAM", "GLOBAL"});
  CHECK(house.complete(scope, "g") == std::vector<std::string>{"GLOBAL"});
  const mcp::Completer& activity = house.templates.front().completers.at("activity_id");
  CHECK(house.complete(activity, "00000002") == std::vector<std::string>{message(2).activity_id});
}
