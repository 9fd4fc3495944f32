#include <doctest/doctest.h>

#include <string>

#include "server/platform.hpp"

using namespace molecule;
using test::Answer;
using test::Member;
using test::Platform;
using test::unknown_id;

namespace {

Answer create(Platform& platform, const std::string& body) {
  return platform.post("/workspaces", platform.admin, body);
}

std::string id_of(const Answer& answer) {
  return std::string(answer["id"].string_or(""));
}

std::string status_line(const Answer& answer) {
  return std::to_string(answer.status) + " " + std::string(answer.error());
}

}  // namespace

TEST_CASE("creating an external workspace returns the snippets that connect an agent") {
  Platform platform;
  const auto made = create(platform, R"({"name":"agent","role":"r","runtime":"external",
      "delivery_mode":"poll","budget_limit":5,"canvas":{"x":1,"y":2.5},
      "initial_memories":[{"content":"c","scope":"team"},{"content":"n","scope":"NOWHERE"}]})");
  CHECK(made.status == 201);
  CHECK(made["external"].boolean() == true);
  CHECK(made["status"].string() == "awaiting_agent");
  const json::Value connection = made["connection"];
  const std::string token(connection["auth_token"].string_or(""));
  CHECK(token.size() == 43);
  CHECK(connection["workspace_id"].string() == id_of(made));
  CHECK(connection["platform_url"].string() == "http://127.0.0.1:8080");
  CHECK(connection["registry_endpoint"].string() == "http://127.0.0.1:8080/registry/register");
  for (const char* name :
       {"curl_register_template", "python_snippet", "claude_code_channel_snippet",
        "universal_mcp_snippet", "codex_snippet", "gemini_snippet"}) {
    CAPTURE(name);
    const std::string snippet(connection[name].string_or(""));
    CHECK(snippet.find(token) != std::string::npos);
    CHECK(snippet.find(id_of(made)) != std::string::npos);
    CHECK(snippet.find("{{") == std::string::npos);
    CHECK(snippet.find("paste") == std::string::npos);
  }
  CHECK(connection["curl_register_template"].string_or("").find(R"("delivery_mode":"poll")") !=
        std::string_view::npos);
  const auto heartbeat =
      platform.post("/registry/heartbeat", token, R"({"workspace_id":")" + id_of(made) + "\"}");
  CHECK(heartbeat.status == 200);
  CHECK(platform.count("SELECT count(*) FROM memories WHERE scope = 'TEAM'") == 1);
  CHECK(platform.count("SELECT count(*) FROM memories") == 1);

  platform.services.base_url = "";
  platform.headers = {{"Host", "agents.example:81"}};
  CHECK(
      create(platform, R"({"name":"b","external":true})")["connection"]["platform_url"].string() ==
      "http://agents.example:81");
}

TEST_CASE("other ways to create a workspace") {
  Platform platform;
  const auto with_url =
      create(platform, R"({"name":"a","external":true,"url":"http://agent.example:9"})");
  CHECK(with_url["status"].string() == "online");
  CHECK(!with_url["connection"].present());
  const auto contained = create(platform, R"({"name":"b"})");
  CHECK(contained.status == 201);
  CHECK(contained["status"].string() == "provisioning");
  CHECK(platform.get("/workspaces/" + id_of(contained), "")["status"].string() == "failed");
  const auto events = platform.get("/events/" + id_of(contained), platform.admin);
  CHECK(events.items().at(0)["event_type"].string() == "WORKSPACE_PROVISION_FAILED");
  CHECK(events.items().at(1)["event_type"].string() == "WORKSPACE_PROVISIONING");
}

TEST_CASE("invalid workspaces are refused") {
  Platform platform;
  struct Row {
    const char* body;
    const char* reply;
  };
  const std::vector<Row> rows = {
      {"", "400 invalid workspace payload"},
      {"[]", "400 invalid workspace payload"},
      {"{}", "400 invalid workspace payload"},
      {R"({"name":1})", "400 invalid workspace payload"},
      {R"({"name":"a","tier":"x"})", "400 invalid workspace payload"},
      {R"({"name":"a","canvas":[]})", "400 invalid workspace payload"},
      {R"({"name":"a","secrets":[]})", "400 invalid workspace payload"},
      {R"({"name":"a","initial_memories":[1]})", "400 invalid workspace payload"},
      {R"({"name":"a\nb"})", "400 invalid workspace fields"},
      {R"({"name":"a{"})", "400 invalid workspace fields"},
      {R"({"name":"a","budget_limit":-1})", "400 invalid workspace fields"},
      {R"({"name":"a","parent_id":"x"})", "400 invalid workspace fields"},
      {R"({"name":"a","template":"../x"})", "400 invalid template"},
      {R"({"name":"a","workspace_dir":"/a/../b"})", "400 invalid workspace directory"},
      {R"({"name":"a","workspace_dir":"a"})", "400 invalid workspace directory"},
      {R"({"name":"a","workspace_access":"all"})", "400 invalid workspace access"},
      {R"({"name":"a","delivery_mode":"x"})", "400 delivery_mode must be 'push' or 'poll'"},
      {R"({"name":"a","parent_id":"11111111-2222-4333-8444-555555555555"})",
       "422 parent workspace not found"},
      {R"({"name":"a","secrets":{"K":"v"}})",
       "422 this platform stores no secrets: leave out \"secrets\""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.body);
    CHECK(status_line(create(platform, row.body)) == row.reply);
  }
  CHECK(platform.post("/workspaces", "", "{}").error() == "admin auth required");
  CHECK(platform.post("/workspaces", "x", "{}").error() == "invalid admin auth token");
  CHECK(platform.count("SELECT count(*) FROM workspaces") == 0);
  CHECK(platform.count("SELECT count(*) FROM events") == 0);
}

TEST_CASE("an empty admin token grants nothing") {
  Platform platform;
  platform.services.admin_token = "";
  CHECK(platform.get("/workspaces", "").status == 401);
  platform.headers = {{"Authorization", "Bearer "}};
  CHECK(platform.get("/workspaces", "").status == 401);
}

TEST_CASE("workspaces are listed and read") {
  Platform platform;
  const Member a = platform.add("a");
  platform.set(a, "agent_card = '{\"x\":[1]}', role = 'r', budget_limit = 3");
  const auto list = platform.get("/workspaces", platform.admin);
  CHECK(list.items().size() == 1);
  CHECK(list.items().at(0)["agent_card"]["x"].is_array());
  CHECK(list.items().at(0)["budget_limit"].integer() == 3);
  CHECK(list.items().at(0)["parent_id"].is_null());
  CHECK(platform.get("/workspaces", a.token).status == 401);

  const auto one = platform.get("/workspaces/" + a.id, "");
  CHECK(one["role"].string() == "r");
  for (const char* hidden : {"budget_limit", "monthly_spend", "current_task", "workspace_dir"}) {
    CHECK(!one[hidden].present());
  }
  CHECK(one["last_outbound_at"].is_null());
  CHECK(status_line(platform.get("/workspaces/x", "")) == "400 invalid workspace ID");
  CHECK(platform.get("/workspaces/" + std::string(unknown_id), "").status == 404);

  platform.ask("DELETE", "/workspaces/" + a.id, platform.admin);
  const auto gone = platform.get("/workspaces/" + a.id, "");
  CHECK(gone.status == 410);
  CHECK(gone.error() == "workspace removed");
  CHECK(gone["removed_at"].is_string());
  CHECK(gone["hint"].is_string());
  CHECK(platform.get("/workspaces/" + a.id + "?include_removed=true", "").status == 200);
  CHECK(platform.get("/workspaces", platform.admin).items().empty());
}

TEST_CASE("a patch changes what it names") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b", a.id);
  const Member c = platform.add("c", b.id);
  const auto patch = [&](const Member& member, const std::string& body, std::string_view token) {
    return status_line(platform.ask("PATCH", "/workspaces/" + member.id, token, body));
  };
  CHECK(patch(a, R"({"name":"n","role":"r","tier":2,"collapsed":true,"x":1,"y":2})", a.token) ==
        "200 ");
  const auto one = platform.get("/workspaces/" + a.id, "");
  CHECK(one["name"].string() == "n");
  CHECK(one["collapsed"].boolean() == true);
  CHECK(one["y"].number() == 2);
  CHECK(patch(a, R"({"x":9})", a.token) == "200 ");
  CHECK(platform.get("/workspaces/" + a.id, "")["x"].number() == 1);

  for (const std::string& below : {a.id, b.id, c.id}) {
    CHECK(patch(a, R"({"parent_id":")" + below + "\"}", platform.admin).starts_with("400"));
  }
  CHECK(patch(a, R"({"parent_id":")" + std::string(unknown_id) + "\"}", platform.admin)
            .starts_with("400"));
  CHECK(patch(c, R"({"parent_id":")" + a.id + "\"}", platform.admin) == "200 ");
  CHECK(platform.get("/workspaces/" + c.id, "")["parent_id"].string() == a.id);
  CHECK(patch(c, R"({"parent_id":null})", c.token).starts_with("403"));
  CHECK(patch(c, R"({"parent_id":null})", platform.admin) == "200 ");
  CHECK(platform.get("/workspaces/" + c.id, "")["parent_id"].is_null());

  for (const char* bad :
       {"", "[]", R"({"name":1})", R"({"name":""})", R"({"name":"a|b"})", R"({"tier":1.5})",
        R"({"collapsed":1})", R"({"x":"1"})", R"({"parent_id":"x"})", R"({"workspace_dir":"x"})"}) {
    CAPTURE(bad);
    CHECK(patch(a, bad, a.token).starts_with("400"));
  }
  CHECK(patch(a, "{}", b.token) == "401 invalid workspace auth token");
  CHECK(patch(a, "{}", "") == "401 missing workspace auth token");
  CHECK(status_line(platform.ask("PATCH", "/workspaces/x", platform.admin, "{}")) ==
        "400 invalid workspace ID");
  CHECK(platform.ask("PATCH", "/workspaces/" + std::string(unknown_id), platform.admin, "{}")
            .status == 404);
}

TEST_CASE("deleting removes the descendants and all tokens") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b", a.id);
  const Member c = platform.add("c", b.id);
  const Member other = platform.add("other");
  const auto refused = platform.ask("DELETE", "/workspaces/" + a.id, platform.admin);
  CHECK(refused.status == 409);
  CHECK(refused["status"].string() == "confirmation_required");
  CHECK(refused["children"].items().at(0)["id"].string() == b.id);
  CHECK(refused["children_count"].integer() == 1);
  const auto removed =
      platform.ask("DELETE", "/workspaces/" + a.id + "?confirm=true", platform.admin);
  CHECK(removed["status"].string() == "removed");
  CHECK(removed["cascade_deleted"].integer() == 2);
  for (const Member& gone : {a, b, c}) {
    CHECK(platform.get(test::path_of(gone, "/activity"), gone.token).status == 401);
  }
  CHECK(platform.get(test::path_of(other, "/activity"), other.token).status == 200);
  CHECK(platform.count("SELECT count(*) FROM events WHERE event_type = 'WORKSPACE_REMOVED'") == 3);

  const auto again = platform.ask("DELETE", "/workspaces/" + a.id, platform.admin);
  CHECK(again.status == 410);
  const auto purged = platform.ask("DELETE", "/workspaces/" + a.id + "?purge=true", platform.admin);
  CHECK(purged["status"].string() == "purged");
  CHECK(platform.count("SELECT count(*) FROM workspaces") == 1);
  CHECK(platform.count("SELECT count(*) FROM workspace_tokens") == 1);
  CHECK(platform.get("/workspaces/" + a.id, "").status == 404);

  CHECK(platform.ask("DELETE", "/workspaces/x", platform.admin).status == 400);
  CHECK(platform.ask("DELETE", "/workspaces/" + other.id, other.token).status == 401);
}

TEST_CASE("tokens are listed, created and revoked") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const std::string path = test::path_of(a, "/tokens");
  const auto made = platform.post(path, a.token, "");
  CHECK(made.status == 201);
  const std::string token(made["auth_token"].string_or(""));
  const auto list = platform.get(path, token);
  CHECK(list["count"].integer() == 2);
  CHECK(list["tokens"].items().at(0)["prefix"].string() == token.substr(0, 8));
  CHECK(platform.get(path + "?limit=1", a.token)["count"].integer() == 1);
  CHECK(platform.get(path + "?limit=x&offset=1", a.token)["count"].integer() == 1);
  CHECK(platform.get(path, b.token).status == 401);

  const std::string id(list["tokens"].items().at(0)["id"].string_or(""));
  CHECK(platform.ask("DELETE", path + "/" + id, b.token).status == 401);
  CHECK(platform.ask("DELETE", test::path_of(b, "/tokens/" + id), b.token).status == 404);
  CHECK(platform.ask("DELETE", path + "/x", a.token).status == 400);
  CHECK(platform.ask("DELETE", path + "/" + id, a.token)["status"].string() == "revoked");
  CHECK(platform.ask("DELETE", path + "/" + id, a.token).status == 404);
  CHECK(platform.get(path, token).status == 401);
  CHECK(platform.count(
            "SELECT count(*) FROM workspace_tokens WHERE hash LIKE '%' || prefix || '%'") == 0);

  int status = 201;
  for (int i = 0; i < 60 && status == 201; ++i) status = platform.post(path, a.token, "").status;
  CHECK(status == 429);
  CHECK(platform.get(path + "?limit=200", a.token)["count"].integer() == 50);
  CHECK(platform.post("/workspaces/" + std::string(unknown_id) + "/tokens", platform.admin, "")
            .status == 404);
}

TEST_CASE("the state and budget of a workspace") {
  Platform platform;
  const Member a = platform.add("a");
  CHECK(platform.get(test::path_of(a, "/state"), a.token)["status"].string() == "online");
  CHECK(platform.get(test::path_of(a, "/state"), platform.admin).status == 401);
  const auto gone =
      platform.get("/workspaces/" + std::string(unknown_id) + "/state", platform.admin);
  CHECK(gone.status == 404);
  CHECK(gone["deleted"].boolean() == true);

  const std::string path = test::path_of(a, "/budget");
  CHECK(platform.get(path, a.token)["budget_limit"].is_null());
  CHECK(platform.ask("PATCH", path, a.token, R"({"budget_limit":1})").status == 401);
  platform.set(a, "monthly_spend = 30");
  const auto set = platform.ask("PATCH", path, platform.admin, R"({"budget_limit":20})");
  CHECK(set["budget_remaining"].integer() == -10);
  CHECK(platform.get(path, a.token)["budget_limit"].integer() == 20);
  CHECK(platform.ask("PATCH", path, platform.admin, R"({"budget_limit":null})").status == 200);
  for (const char* bad : {"", "{}", R"({"budget_limit":-1})", R"({"budget_limit":1.5})"}) {
    CHECK(platform.ask("PATCH", path, platform.admin, bad).status == 400);
  }
}

TEST_CASE("the admin lists events, newest first") {
  Platform platform;
  server::Context context(platform.services);
  for (int i = 0; i < 101; ++i) {
    context.events.record("TEST", unknown_id, R"({"i":)" + std::to_string(i) + "}");
  }
  platform.emit(context);
  const auto page = platform.get("/events", platform.admin);
  CHECK(page.items().size() == 100);
  CHECK(page.items().at(0)["payload"]["i"].integer() == 100);
  CHECK(platform.get("/events/" + std::string(unknown_id), platform.admin).items().size() == 100);
  CHECK(platform.get("/events/x", platform.admin).status == 400);
  CHECK(platform.get("/events", "").status == 401);
}

TEST_CASE("who may listen to events, and for how long") {
  Platform platform;
  const Member a = platform.add("a");
  const Member child = platform.add("child", a.id);
  const Member b = platform.add("b");
  const Member nephew = platform.add("nephew", b.id);
  const auto ask = [&](std::vector<std::pair<std::string, std::string>> headers) {
    server::Request request;
    request.method = "GET";
    request.path = "/ws";
    request.headers = std::move(headers);
    server::Router& router = platform.router;
    return test::run(platform.loop, router.admit(std::move(request)));
  };
  const auto sees = [&](const server::Caller& listener, const std::string& workspace) {
    server::Context context(platform.services);
    return test::run(platform.loop, server::event_visibility(context.store, listener, workspace));
  };
  CHECK(ask({}).error().status == 401);
  CHECK(ask({{"Authorization", "Bearer nonsense"}}).error().status == 401);
  const auto owner = ask({{"Authorization", "Bearer " + platform.admin}});
  CHECK(sees(*owner, nephew.id) == server::Visibility::visible);
  const auto agent = ask({{"Authorization", "Bearer " + child.token}});
  CHECK(sees(*agent, a.id) == server::Visibility::visible);
  CHECK(sees(*agent, nephew.id) == server::Visibility::hidden);
  CHECK(
      ask({{"Authorization", "Bearer " + child.token}, {"X-Workspace-ID", a.id}}).error().status ==
      401);
  platform.revoke_tokens(child.id);
  CHECK(sees(*agent, a.id) == server::Visibility::revoked);
}
