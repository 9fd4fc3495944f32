#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "platform/client.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

using namespace molecule;
using platform::Errc;
using test::Canned;

namespace {

const std::string own = "11111111-1111-4111-8111-111111111111";
const std::string peer = "22222222-2222-4222-8222-222222222222";
const std::string own_path = "/workspaces/" + own;

struct Setting {
  asio::io_context loop;
  test::ScriptedServer server{loop};
  net::HttpClient http{loop.get_executor()};
  std::string token = "tok-0123456789abcdef";
  platform::Client client{http,
                          {.platform_url = server.url(), .workspace_id = own, .org_id = "org-1"},
                          [this] { return token; }};

  template <class T>
  platform::Outcome<T> run(awaitable<platform::Outcome<T>> call) {
    return test::run(loop, std::move(call));
  }
  const test::Received& last() { return server.requests().back(); }
  json::Document body() {
    json::Document document;
    REQUIRE(document.parse(last().body).ok());
    return document;
  }
};

}  // namespace

TEST_CASE("every call sends the same headers, except X-Workspace-ID") {
  Setting s;
  s.server.answer("POST /registry/register", 200, R"({"status":"registered"})");
  s.server.answer("GET /registry/" + own + "/peers", 200, "[]");
  s.server.answer("POST /workspaces/" + peer + "/a2a", 200, R"({"status":"queued"})");
  s.server.answer("GET " + own_path, 200, R"({"id":"x"})");
  CHECK(s.run(s.client.register_workspace(R"({"name":"n"})")).ok());
  CHECK(s.last().header("X-Workspace-ID").empty());
  CHECK(s.last().header("Content-Type") == "application/json");
  CHECK(s.run(s.client.peers()).ok());
  CHECK(s.last().header("X-Workspace-ID") == own);
  CHECK(s.last().header("Content-Type").empty());
  CHECK(s.run(s.client.send_message(peer, "m", "t", std::chrono::seconds(5))).ok());
  CHECK(s.last().header("X-Workspace-ID") == own);
  CHECK(s.run(s.client.workspace_info()).ok());
  for (const test::Received& request : s.server.requests()) {
    CHECK(request.header("Authorization") == "Bearer " + s.token);
    CHECK(request.header("Origin") == s.server.url());
    CHECK(request.header("Origin") == "http://" + request.header("Host"));
    CHECK(request.header("X-Molecule-Org-Id") == "org-1");
    CHECK(request.header("User-Agent") == "molecule-mcp/" MOLECULE_VERSION);
  }
  CHECK(s.server.connections() == 1);
}

TEST_CASE("a rotated token is used at once, and an empty one sends no header") {
  Setting s;
  s.server.answer("GET " + own_path, 200, R"({"id":"x"})");
  s.token = "second";
  CHECK(s.run(s.client.workspace_info()).ok());
  CHECK(s.last().header("Authorization") == "Bearer second");
  s.token.clear();
  CHECK(s.run(s.client.workspace_info()).ok());
  CHECK(s.last().header("Authorization").empty());
}

TEST_CASE("the origin has no path, no user and no default port") {
  asio::io_context loop;
  test::ScriptedServer server(loop);
  net::HttpClient http(loop.get_executor());
  const std::string url = server.url() + "/base";
  platform::Client client(http, {.platform_url = url, .workspace_id = own, .org_id = {}},
                          [] { return std::string(); });
  server.answer("GET /base" + own_path, 200, R"({"id":"x"})");
  CHECK(test::run(loop, client.workspace_info()).ok());
  CHECK(server.requests().back().header("Origin") == server.url());
  CHECK(server.requests().back().header("X-Molecule-Org-Id").empty());
}

TEST_CASE("paths and bodies match platform-api.md") {
  Setting s;
  s.server.answer("POST /registry/register", 200, R"({"status":"registered"})");
  CHECK(s.run(s.client.register_workspace(R"({"name":"n"})")).ok());
  CHECK(s.last().body ==
        R"({"id":")" + own + R"(","url":"","agent_card":{"name":"n"},"delivery_mode":"poll"})");

  s.server.answer("POST /registry/heartbeat", 200, R"({"status":"ok"})");
  platform::HeartbeatRequest heartbeat{
      .active_tasks = 2, .current_task = "q\"", .uptime_seconds = 12};
  CHECK(s.run(s.client.heartbeat(heartbeat)).ok());
  CHECK(s.body().root()["active_tasks"].integer() == 2);
  CHECK(s.body().root()["current_task"].string_or("") == "q\"");
  CHECK(s.body().root()["uptime_seconds"].integer() == 12);
  CHECK(s.body().root()["workspace_id"].string_or("") == own);

  s.server.answer("GET " + own_path + "/activity", 200, "[]");
  platform::ActivityQuery query;
  query.since_id = "a b&c";
  CHECK(s.run(s.client.activity(query)).ok());
  CHECK(s.last().target == own_path + "/activity?type=a2a_receive&since_id=a%20b%26c&limit=100");
  platform::ActivityQuery first;
  first.since_secs = 600;
  first.before_ts = "2026-05-01T00:00:00Z";
  first.peer_info = true;
  CHECK(s.run(s.client.activity(first)).ok());
  CHECK(s.last().target == own_path +
                               "/activity?type=a2a_receive&since_secs=600&before_ts=2026-05-01T00"
                               "%3A00%3A00Z&include=peer_info&limit=100");

  s.server.answer("POST /workspaces/" + peer + "/a2a", 200, R"({"result":"ok"})");
  CHECK(s.run(s.client.send_message(peer, "mid", "hi", std::chrono::seconds(5)))->text == "ok");
  const json::Document sent = s.body();
  const json::Value message = sent.root()["params"]["message"];
  CHECK(sent.root()["jsonrpc"].string_or("") == "2.0");
  CHECK(sent.root()["method"].string_or("") == "message/send");
  CHECK(message["messageId"].string_or("") == "mid");
  CHECK(message["role"].string_or("") == "user");
  CHECK(message["parts"].items().at(0)["text"].string_or("") == "hi");

  s.server.answer("POST " + own_path + "/delegate", 202,
                  R"({"delegation_id":"d","status":"delegated"})");
  CHECK(s.run(s.client.delegate(peer, "t", "k"))->delegation_id == "d");
  CHECK(s.last().body == R"({"target_id":")" + peer + R"(","task":"t","idempotency_key":"k"})");

  s.server.answer("POST " + own_path + "/memories", 201, R"({"id":"m","scope":"TEAM"})");
  CHECK(s.run(s.client.commit_memory("c", "TEAM"))->id == "m");
  CHECK(s.last().body == R"({"content":"c","scope":"TEAM"})");

  s.server.answer("GET " + own_path + "/memories", 200, "[]");
  CHECK(s.run(s.client.recall_memory("a b", ""))->empty());
  CHECK(s.last().target == own_path + "/memories?q=a%20b");
}

TEST_CASE("reports are cut at character boundaries") {
  Setting s;
  s.server.answer("POST " + own_path + "/activity", 200, R"({"status":"logged"})");
  platform::ActivityReport report;
  report.activity_type = "a2a_send";
  for (int i = 0; i < 300; ++i) report.summary += "é";
  report.error_detail = std::string(5000, 'x');
  CHECK(s.run(s.client.report_activity(report)).ok());
  CHECK(s.body().root()["summary"].string_or("").size() == 512);
  CHECK(s.body().root()["error_detail"].string_or("").size() == 4096);
  CHECK_FALSE(s.body().root()["target_id"].present());
}

TEST_CASE("files are uploaded as multipart, and notify refers to their URIs") {
  Setting s;
  const auto path = std::filesystem::temp_directory_path() / ("molecule-client-" + own + ".txt");
  std::ofstream(path) << "the content";
  s.server.answer("POST " + own_path + "/chat/uploads", 200,
                  R"({"files":[{"uri":"u:1","name":"a.txt","mimeType":"text/plain","size":11}]})");
  s.server.answer("POST " + own_path + "/notify", 200, R"({"status":"sent"})");
  std::vector<net::FormFile> files;
  files.push_back({.field = "files", .path = path, .filename = "a.txt", .mime_type = "text/plain"});
  auto uploaded = s.run(s.client.upload(files));
  REQUIRE(uploaded.ok());
  CHECK(s.last().header("Content-Type").starts_with("multipart/form-data; boundary="));
  CHECK(s.last().body.find(R"(name="files"; filename="a.txt")") != std::string::npos);
  CHECK(s.last().body.find("the content") != std::string::npos);
  CHECK(s.run(s.client.notify("hi", *uploaded, "n-1")).ok());
  CHECK(s.last().body ==
        R"({"message":"hi","messageId":"n-1","attachments":[{"uri":"u:1","name":"a.txt",)"
        R"("mimeType":"text/plain","size":11}]})");
  CHECK(s.run(s.client.notify("hi", {}, "n-2")).ok());
  CHECK(s.last().body == R"({"message":"hi","messageId":"n-2"})");
  CHECK(s.run(s.client.notify("hi", {}, "n-3", "m-1")).ok());
  CHECK(s.last().body == R"({"message":"hi","messageId":"n-3","in_reply_to":"m-1"})");
  std::filesystem::remove(path);
}

TEST_CASE("misbehaving platforms give the matching error codes") {
  Setting s;
  const std::string call = "GET " + own_path;
  s.server.answer(call, Canned{.body = "<html></html>", .content_type = "text/html"});
  s.server.answer(call, Canned{.body = "[]"});
  s.server.answer(call, Canned{.body = R"({"id":"long enough"})", .act = Canned::Act::truncate});
  s.server.answer(call, Canned{.act = Canned::Act::reset});
  s.server.answer(call, Canned{.status = 302, .headers = {{"Location", s.server.url() + "/else"}}});
  CHECK(s.run(s.client.workspace_info()).error().code == Errc::not_the_platform);
  CHECK(s.run(s.client.workspace_info()).error().code == Errc::malformed);
  CHECK(s.run(s.client.workspace_info()).error().code == Errc::connection_lost);
  CHECK(s.run(s.client.workspace_info()).error().code == Errc::connection_lost);
  CHECK(s.run(s.client.workspace_info()).error().code == Errc::rejected);
  CHECK(s.server.requests("GET /else").empty());
}

TEST_CASE("an unreachable platform and a hanging one give different errors") {
  Setting s;
  platform::Client nowhere(
      s.http, {.platform_url = "http://127.0.0.1:1", .workspace_id = own, .org_id = {}},
      [] { return std::string(); });
  CHECK(s.run(nowhere.peers()).error().code == Errc::unreachable);
  s.server.answer("POST /workspaces/" + peer + "/a2a", Canned{.act = Canned::Act::hang});
  auto hung = s.run(s.client.send_message(peer, "m", "t", std::chrono::milliseconds(50)));
  CHECK(hung.error().code == Errc::timeout);
  CHECK(hung.error().may_have_arrived);
}

TEST_CASE("health reports the platform's time, and max_call_timeout limits every call") {
  Setting s;
  s.server.answer("GET /health", 200, R"({"status":"ok"})");
  auto health = s.run(s.client.health());
  REQUIRE(health.ok());
  CHECK_FALSE(health->time);
  CHECK(s.last().body.empty());
  platform::Client hurried(s.http,
                           {.platform_url = s.server.url(),
                            .workspace_id = own,
                            .org_id = "",
                            .max_call_timeout = std::chrono::milliseconds(50)},
                           [&s] { return s.token; });
  Canned silence;
  silence.act = Canned::Act::hang;
  s.server.answer("GET /health", silence);
  auto late = s.run(hurried.health());
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == Errc::timeout);
  CHECK(late.error().transport == net::HttpErrc::timeout);
}
