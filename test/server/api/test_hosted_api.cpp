// What clients of the original platform ask, and what it answers: method, path, credential, body,
// status, keys. Where ours differs on purpose, docs/spec/platform-api.md 9 says why.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "server/platform.hpp"

using namespace molecule;
using test::Answer;
using test::Member;
using test::Platform;

namespace {

enum class As { nobody, own, peer, admin, inbound };

struct Call {
  const char* method;
  /// `:own` and `:peer` stand for ids.
  std::string path;
  As as;
  std::string body;
  int status;
  /// Members that the reply has, separated by blanks; "[]" for an empty list.
  std::string keys;
};

struct World {
  Platform platform;
  Member own = platform.add("own");
  Member peer = platform.add("peer");

  World() { platform.set(own, "platform_inbound_secret = 'inbound-secret'"); }

  static std::string with(std::string text, std::string_view name, const std::string& value) {
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
      text.replace(at, name.size(), value);
    }
    return text;
  }
  std::string filled(const std::string& text) const {
    return with(with(text, ":own", own.id), ":peer", peer.id);
  }
  Answer ask(const Call& call) {
    std::string token;
    if (call.as == As::own) token = own.token;
    if (call.as == As::peer) token = peer.token;
    if (call.as == As::admin) token = platform.admin;
    if (call.as == As::inbound) token = "inbound-secret";
    return platform.ask(call.method, filled(call.path), token, filled(call.body));
  }
};

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> found;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    found.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

void check(World& world, const Call& call) {
  INFO(call.method << " " << call.path << " " << call.body);
  const Answer answer = world.ask(call);
  INFO(answer.text);
  CHECK(answer.status == call.status);
  if (call.keys == "[]") {
    CHECK(answer.text == "[]");
    return;
  }
  for (const std::string& key : words(call.keys)) {
    CAPTURE(key);
    CHECK(answer.document.root()[key].present());
  }
}

const std::string message =
    R"({"method":"message/send","params":{"message":{"parts":[{"kind":"text","text":"x"}]}}})";

/// Each on a new platform, in any order.
std::vector<Call> single_calls() {
  return {
      {"PATCH", "/workspaces/:own/abilities", As::admin, R"({"can_delegate":false})", 200,
       "status"},
      {"PATCH", "/workspaces/:own/abilities", As::own, R"({"can_delegate":false})", 401, "error"},
      {"PATCH", "/workspaces/:own/abilities", As::admin, "{}", 400, "error"},
      {"PATCH", "/workspaces/:own/abilities", As::admin, R"({"can_delegate":1})", 400, "error"},
      {"PATCH", "/workspaces/no-uuid/abilities", As::admin, R"({"can_delegate":true})", 400, ""},
      {"POST", "/workspaces/:own/pause", As::own, "", 200, "status paused_count"},
      {"POST", "/workspaces/:own/pause", As::peer, "", 401, "error"},
      {"POST", "/workspaces/:own/resume", As::own, "", 404, "error"},
      {"POST", "/workspaces/:own/restart", As::own, "", 200, "status runtime message"},
      {"GET", "/workspaces/:own/config", As::own, "", 200, "data"},
      {"PATCH", "/workspaces/:own/config", As::own, R"({"a":{"b":1}})", 200, "status"},
      {"PATCH", "/workspaces/:own/config", As::own, "[1]", 400, "error"},
      {"GET", "/workspaces/:own/secrets/values", As::own, "", 200, ""},
      {"GET", "/workspaces/:own/secrets/values", As::peer, "", 401, "error"},
      {"GET", "/workspaces/:own/metrics", As::admin, "", 200,
       "input_tokens output_tokens total_calls estimated_cost_usd period_start period_end"},
      {"GET", "/workspaces/:own/mail/summary", As::own, "", 200,
       "mode received_unread replies_unread received sent_awaiting_reply overdue overdue_count "
       "overdue_after_seconds"},
      {"POST", "/workspaces/:own/a2a/inbound", As::inbound, message, 200, "status delivery_mode"},
      {"POST", "/workspaces/:own/a2a/inbound", As::nobody, message, 401, "error"},
      {"POST", "/workspaces/:own/a2a/inbound", As::own, message, 403, "error"},
      {"POST", "/workspaces/:peer/a2a/inbound", As::inbound, message, 503, "error"},
      {"GET", "/workspaces/:own/v2/memories", As::own, "", 200, "memories"},
      {"GET", "/workspaces/:own/v2/namespaces", As::own, "", 200, "readable writable"},
      {"GET", "/workspaces/:own/traces", As::own, "", 200, "[]"},
      {"GET", "/workspaces/:own/schedules", As::admin, "", 200, "[]"},
      {"GET", "/workspaces/:own/plugins", As::own, "", 200, "[]"},
      {"GET", "/workspaces/:own/channels", As::own, "", 200, "[]"},
      {"GET", "/templates", As::admin, "", 200, "[]"},
      {"GET", "/plugins", As::admin, "", 200, "[]"},
      {"GET", "/templates", As::own, "", 401, "error"},
      {"GET", "/org/tokens", As::admin, "", 200, "tokens count"},
      {"POST", "/org/tokens", As::admin, R"({"name":"ci"})", 200,
       "id prefix name auth_token warning"},
      {"POST", "/org/tokens", As::own, R"({"name":"ci"})", 401, "error"},
      {"DELETE", "/org/tokens/:own", As::admin, "", 404, "error"},
      {"GET", "/buildinfo", As::nobody, "", 200, "git_sha"},
      {"GET", "/admin/liveness", As::admin, "", 200, "subsystems"},
      {"GET", "/admin/liveness", As::own, "", 401, "error"},
      {"GET", "/workspaces/:own", As::nobody, "", 200,
       "kind broadcast_enabled talk_to_user_enabled loaded_mcp_tools mcp_surface last_heartbeat_at "
       "last_sample_error wedged compute"},
      {"POST", "/registry/heartbeat", As::own, R"({"workspace_id":":own"})", 200,
       "status generation platform_inbound_secret"},
      {"GET", "/workspaces/:own/budget", As::own, "", 200,
       "budget_limit monthly_spend budget_remaining periods"},
      {"PATCH", "/workspaces/:own/budget", As::own, R"({"budget_limit":1})", 401, "error"},
      {"GET", "/registry/:own/peers", As::admin, "", 200, ""},
      {"POST", "/workspaces/:own/broadcast", As::own, R"({"message":"hi"})", 403, "error hint"},
      {"PATCH", "/workspaces/:own", As::own, R"({"parent_id":":peer"})", 403, "error"},
      {"PATCH", "/workspaces/:own", As::admin, R"({"parent_id":":peer"})", 200, "status"},
      {"POST", "/workspaces", As::admin, R"({"name":"k","runtime":"kimi"})", 201,
       "id external status connection"},
      {"POST", "/workspaces", As::admin,
       R"({"name":"u","external":true,"url":"http://127.0.0.1:1"})", 400, "error code"},
      {"POST", "/workspaces", As::admin, R"({"name":"u","external":true,"url":"nonsense"})", 400,
       "error code"},
      {"POST", "/workspaces", As::admin,
       R"({"name":"p","parent_id":"11111111-2222-4333-8444-555555555555"})", 422, "error code"},
      {"DELETE", "/workspaces/11111111-2222-4333-8444-555555555555", As::admin, "", 404, "error"},
  };
}

}  // namespace

TEST_CASE("the hosted platform's API is answered as it answers") {
  for (const Call& call : single_calls()) {
    World world;
    check(world, call);
  }
}

TEST_CASE("a workspace is removed once, and under its own name") {
  World world;
  Platform& platform = world.platform;
  const std::string path = test::path_of(world.own, "");
  platform.headers = {{"X-Confirm-Name", "other"}};
  CHECK(platform.ask("DELETE", path, platform.admin).status == 400);
  platform.headers = {{"X-Confirm-Name", "own"}};
  CHECK(platform.ask("DELETE", path, platform.admin).status == 200);
  platform.headers.clear();
  CHECK(platform.ask("DELETE", path, platform.admin).status == 410);
  CHECK(platform.ask("DELETE", path + "?purge=true", platform.admin).status == 200);
  CHECK(platform.ask("DELETE", path, platform.admin).status == 404);
}

TEST_CASE("broadcasts need the person's permission, and are rows of their own type") {
  World world;
  Platform& platform = world.platform;
  const std::string body = R"({"message":"all hands"})";
  const auto send = [&] {
    return platform.post(test::path_of(world.own, "/broadcast"), world.own.token, body);
  };
  CHECK(send().error() == "broadcast_disabled");
  platform.ask("PATCH", test::path_of(world.own, "/abilities"), platform.admin,
               R"({"broadcast_enabled":true})");
  CHECK(send()["delivered"].integer() == 1);
  const auto rows =
      platform.get(test::path_of(world.peer, "/activity?type=broadcast_receive"), world.peer.token);
  REQUIRE(rows.items().size() == 1);
  CHECK(rows.items()[0]["source_id"].string() == world.own.id);
  CHECK(rows.items()[0]["method"].string() == "broadcast");
  CHECK(rows.items()[0]["summary"].string() == "Broadcast from own: all hands");
  CHECK(platform.get(test::path_of(world.peer, "/activity?type=a2a_receive"), world.peer.token)
            .items()
            .empty());
}

TEST_CASE("a workspace that may not delegate can still answer") {
  World world;
  Platform& platform = world.platform;
  platform.ask("PATCH", test::path_of(world.own, "/abilities"), platform.admin,
               R"({"can_delegate":false})");
  const auto send = [&](const std::string& reply_to) {
    return platform.post(
        test::path_of(world.peer, "/a2a"), world.own.token,
        R"({"method":"message/send","params":{"message":{"parts":[],"metadata":{"in_reply_to":")" +
            reply_to + "\"}}}}");
  };
  const auto delegate = platform.post(test::path_of(world.own, "/delegate"), world.own.token,
                                      R"({"target_id":")" + world.peer.id + R"(","task":"t"})");
  CHECK(delegate.status == 403);
  CHECK(send("asked-1").status == 403);
  const std::string question =
      R"({"method":"message/send","params":{"message":{"messageId":"asked-1","parts":[]}}})";
  CHECK(platform.post(test::path_of(world.own, "/a2a"), world.peer.token, question).status == 200);
  CHECK(send("asked-1").status == 200);
}

TEST_CASE("an agent that may not write to the person is told so") {
  World world;
  Platform& platform = world.platform;
  platform.ask("PATCH", test::path_of(world.own, "/abilities"), platform.admin,
               R"({"talk_to_user_enabled":false})");
  const auto refused =
      platform.post(test::path_of(world.own, "/notify"), world.own.token, R"({"message":"m"})");
  CHECK(refused.status == 403);
  CHECK(refused.error() == "talk_to_user_disabled");
  CHECK(refused["hint"].is_string());
}

TEST_CASE("pause reaches the children, and only resume ends it") {
  Platform platform;
  const Member top = platform.add("top");
  const Member child = platform.add("child", top.id);
  const auto status = [&](const Member& member) {
    return std::string(platform.get(test::path_of(member, ""), "")["status"].string_or(""));
  };
  const auto post = [&](const Member& member, const std::string& verb) {
    return platform.post(test::path_of(member, "/" + verb), platform.admin, "");
  };
  CHECK(post(top, "pause")["paused_count"].integer() == 2);
  CHECK(post(top, "pause").status == 404);
  platform.post("/registry/register", child.token,
                R"({"id":")" + child.id + R"(","agent_card":{},"delivery_mode":"poll"})");
  platform.post("/registry/heartbeat", child.token, R"({"workspace_id":")" + child.id + "\"}");
  CHECK(status(child) == "paused");
  CHECK(post(child, "resume").status == 409);
  CHECK(post(child, "restart").status == 409);
  CHECK(post(top, "resume")["resumed_count"].integer() == 2);
  platform.post("/registry/heartbeat", child.token, R"({"workspace_id":")" + child.id + "\"}");
  CHECK(status(child) == "online");
}

TEST_CASE("an organisation token is the admin's until it is revoked") {
  World world;
  Platform& platform = world.platform;
  const auto made = platform.post("/org/tokens", platform.admin, R"({"name":"ci"})");
  const std::string token(made["auth_token"].string_or(""));
  CHECK(platform.get("/workspaces", token).items().size() == 2);
  CHECK(platform.get(test::path_of(world.own, "/activity"), token).status == 200);
  CHECK(platform.get(test::path_of(world.own, "/secrets/values"), token).status == 401);
  CHECK(platform.count("SELECT count(*) FROM org_tokens WHERE hash = prefix") == 0);
  const std::string id(made["id"].string_or(""));
  CHECK(platform.ask("DELETE", "/org/tokens/" + id, platform.admin)["revoked"].string() == id);
  CHECK(platform.get("/workspaces", token).status == 401);
  for (int i = 1; i < 10; ++i) platform.post("/org/tokens", platform.admin, "");
  CHECK(platform.post("/org/tokens", platform.admin, "").status == 429);
}

TEST_CASE("budgets of every period stop messages") {
  World world;
  Platform& platform = world.platform;
  const auto beat = [&](int cents) {
    platform.post("/registry/heartbeat", world.own.token,
                  R"({"workspace_id":")" + world.own.id + R"(","monthly_spend":)" +
                      std::to_string(cents) + "}");
  };
  beat(40);
  beat(100);
  platform.ask("PATCH", test::path_of(world.own, "/budget"), platform.admin,
               R"({"budget_limits":{"hourly":100,"daily":500}})");
  const auto budget = platform.get(test::path_of(world.own, "/budget"), world.own.token);
  CHECK(budget["periods"]["hourly"]["spend"].integer() == 100);
  CHECK(budget["periods"]["daily"]["remaining"].integer() == 400);
  CHECK(budget["budget_limit"].is_null());
  const auto send = [&] {
    return platform.post(test::path_of(world.own, "/a2a"), world.peer.token, message);
  };
  const auto refused = send();
  CHECK(refused.status == 402);
  REQUIRE(refused["exceeded_periods"].items().size() == 1);
  CHECK(refused["exceeded_periods"].items()[0].string() == "hourly");
  platform.clock.advance(std::chrono::hours(1));
  CHECK(send().status == 200);
}

TEST_CASE("the person's message carries a context") {
  World world;
  Platform& platform = world.platform;
  platform.post(test::path_of(world.own, "/a2a"), platform.admin, message);
  platform.post(test::path_of(world.own, "/a2a"), world.peer.token, message);
  const auto page = platform.get(test::path_of(world.own, "/activity"), world.own.token);
  const auto rows = page.items();
  REQUIRE(rows.size() == 2);
  const auto context = [](json::Value row) {
    return row["request_body"]["params"]["message"]["contextId"].present();
  };
  CHECK(context(rows[1]));
  CHECK_FALSE(context(rows[0]));
}

TEST_CASE("the mail summary counts what was not acknowledged") {
  World world;
  Platform& platform = world.platform;
  const auto send = [&] {
    platform.post(test::path_of(world.own, "/a2a"), world.peer.token, message);
  };
  send();
  send();
  const auto summary = [&](const Member& member) {
    return platform.get(test::path_of(member, "/mail/summary"), member.token);
  };
  CHECK(summary(world.own)["received_unread"].integer() == 2);
  const std::int64_t first = platform.count("SELECT min(seq) FROM activity");
  platform.post(test::path_of(world.own, "/activity/ack"), world.own.token,
                R"({"acked_seq":)" + std::to_string(first) + "}");
  CHECK(summary(world.own)["received_unread"].integer() == 1);
  CHECK(summary(world.own)["received"].items().size() == 1);
  platform.post(test::path_of(world.peer, "/delegate"), world.peer.token,
                R"({"target_id":")" + world.own.id + R"(","task":"t"})");
  CHECK(summary(world.peer)["sent_awaiting_reply"].integer() == 1);
  CHECK(summary(world.peer)["overdue_count"].integer() == 0);
  platform.clock.advance(std::chrono::hours(7));
  CHECK(summary(world.peer)["overdue"].items().size() == 1);
}

TEST_CASE("delegations say in which direction they go") {
  World world;
  Platform& platform = world.platform;
  platform.post(test::path_of(world.own, "/delegate"), world.own.token,
                R"({"target_id":")" + world.peer.id + R"(","task":"t"})");
  const auto direction = [&](const Member& member) {
    const auto page = platform.get(test::path_of(member, "/delegations"), member.token);
    const auto rows = page.items();
    return rows.empty() ? std::string() : std::string(rows.back()["direction"].string_or(""));
  };
  CHECK(direction(world.own) == "sent");
  CHECK(direction(world.peer) == "received");
}

TEST_CASE("reserved methods are recognised as readers would read them") {
  World world;
  Platform& platform = world.platform;
  for (const char* method : {"notify", "NOTIFY", "delegate_result ", " broadcast\\n",
                             "not\\u200bify", "Chat_Upload_Receive", "\\u0009notify"}) {
    CAPTURE(method);
    const std::string body =
        std::string(R"({"method":")") + method + R"(","params":{"message":{"parts":[]}}})";
    CHECK(platform.post(test::path_of(world.own, "/a2a"), world.peer.token, body).status == 400);
  }
}
