#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/async/tasks.hpp"
#include "server/api/registry/sweep.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Member;
using test::Platform;
using test::unknown_id;

namespace {

std::string register_body(std::string_view id,
                          std::string_view rest = R"(,"delivery_mode":"poll")") {
  return R"({"id":")" + std::string(id) + R"(","url":"","agent_card":{"name":"x"})" +
         std::string(rest) + "}";
}

std::string heartbeat_body(std::string_view id, std::string_view rest = "") {
  return R"({"workspace_id":")" + std::string(id) + "\"" + std::string(rest) + "}";
}

std::string status_of(Platform& platform, const Member& member) {
  return std::string(platform.get("/workspaces/" + member.id, "")["status"].string_or(""));
}

/// The frames sent to the WebSocket clients.
struct Listener {
  explicit Listener(Platform& platform) {
    platform.events.subscribe(
        {.caller = server::Caller::admin(),
         .send = [this](const std::string& frame) { frames.push_back(frame); },
         .revoke = [] {}});
  }
  std::size_t count(std::string_view type) const {
    const std::string mark = R"("event":")" + std::string(type) + "\"";
    std::size_t found = 0;
    for (const std::string& frame : frames) {
      if (frame.find(mark) != std::string::npos) ++found;
    }
    return found;
  }
  std::vector<std::string> frames;
};

}  // namespace

TEST_CASE("register returns what current clients need") {
  Platform platform;
  Listener listener(platform);
  const Member a = platform.add("a");
  platform.set(a, "status = 'awaiting_agent'");
  for (int round = 0; round < 2; ++round) {
    const auto reply = platform.post("/registry/register", a.token, register_body(a.id));
    CHECK(reply.status == 200);
    CHECK(reply["status"].string() == "registered");
    CHECK(reply["delivery_mode"].string() == "poll");
    CHECK(reply["platform_inbound_secret"].string_or("").size() == 43);
    CHECK(!reply["auth_token"].present());
  }
  CHECK(status_of(platform, a) == "online");
  CHECK(listener.count("WORKSPACE_ONLINE") == 2);
  CHECK(platform.get("/workspaces/" + a.id, "")["agent_card"]["name"].string() == "x");
  CHECK(platform.post("/registry/register", a.token, register_body(a.id, "")).status == 200);
}

TEST_CASE("the refusals of register") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  const auto ask = [&](std::string_view token, const std::string& body) {
    const auto reply = platform.post("/registry/register", token, body);
    return std::to_string(reply.status) + " " + std::string(reply.error());
  };
  for (const char* body : {"", "{", "[]", "null", "1", R"({"agent_card":{}})",
                           R"({"id":"","agent_card":{}})", R"({"id":1,"agent_card":{}})",
                           R"({"id":"x","agent_card":{}})", R"({"id":null,"agent_card":{}})"}) {
    CAPTURE(body);
    CHECK(ask(a.token, body) == "400 invalid request body");
  }
  CHECK(ask(a.token, R"({"id":")" + a.id + R"("})") == "400 invalid request body");
  CHECK(ask(a.token, register_body(a.id, R"(,"delivery_mode":"x")")) ==
        "400 delivery_mode must be 'push' or 'poll'");
  CHECK(ask(a.token, register_body(a.id, R"(,"delivery_mode":1)")) == "400 invalid request body");
  CHECK(ask(a.token, register_body(a.id, R"(,"delivery_mode":"push")")) ==
        "400 url is required for push-mode workspaces");
  CHECK(ask("", register_body(a.id)) == "401 missing workspace auth token");
  CHECK(ask(b.token, register_body(a.id)) == "401 invalid workspace auth token");
  CHECK(ask(platform.admin, register_body(a.id)) == "401 invalid workspace auth token");
  CHECK(ask("", register_body(unknown_id)) == "401 missing workspace auth token");
  CHECK(ask(a.token, register_body(unknown_id)) == "401 invalid workspace auth token");
  const std::string deep = std::string(900, '[') + std::string(900, ']');
  CHECK(ask(a.token, R"({"id":")" + a.id + R"(","delivery_mode":"poll","agent_card":)" + deep +
                         "}") == "400 invalid request body");
  CHECK(ask(a.token, R"({"id":")" + a.id + R"(","delivery_mode":"poll","agent_card":")" +
                         std::string(300'000, 'x') + "\"}") == "400 invalid request body");
  CHECK(platform.count("SELECT count(*) FROM workspaces") == 2);
  CHECK(platform.count("SELECT count(*) FROM events") == 0);
}

TEST_CASE("the admin registers workspaces that have no token") {
  Platform platform;
  const auto made = platform.post("/registry/register", platform.admin, register_body(unknown_id));
  CHECK(made.status == 200);
  const std::string token(made["auth_token"].string_or(""));
  CHECK(token.size() == 43);
  CHECK(platform.post("/registry/heartbeat", token, heartbeat_body(unknown_id)).status == 200);
  const auto listed = platform.get("/workspaces", platform.admin);
  CHECK(listed.items().at(0)["name"].string() == unknown_id);
  // Once its tokens are revoked, again only the admin.
  platform.revoke_tokens(unknown_id);
  CHECK(platform.post("/registry/register", token, register_body(unknown_id)).status == 401);
  CHECK(platform.post("/registry/register", platform.admin, register_body(unknown_id))["auth_token"]
            .is_string());
}

TEST_CASE("heartbeats update the workspace") {
  Platform platform;
  Listener listener(platform);
  const Member a = platform.add("a");
  for (const char* status : {"awaiting_agent", "offline", "provisioning"}) {
    platform.set(a, ("status = '" + std::string(status) + "'").c_str());
    const std::size_t before = listener.count("WORKSPACE_ONLINE");
    const auto reply = platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id));
    CHECK(reply.status == 200);
    CHECK(reply["status"].string() == "ok");
    CHECK(reply["platform_inbound_secret"].string_or("").size() == 43);
    CHECK(status_of(platform, a) == "online");
    CHECK(listener.count("WORKSPACE_ONLINE") == before + 1);
  }
  CHECK(listener.count("WORKSPACE_HEARTBEAT") == 3);
  CHECK(listener.count("TASK_UPDATED") == 0);

  const std::string full =
      R"(,"error_rate":0.6,"sample_error":"e","active_tasks":2,"uptime_seconds":7,)"
      R"("current_task":"think","monthly_spend":12,"runtime_state":"","surprise":[1])";
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id, full)).status == 200);
  CHECK(listener.count("WORKSPACE_DEGRADED") == 1);
  CHECK(listener.count("TASK_UPDATED") == 1);
  auto list = platform.get("/workspaces", platform.admin);
  CHECK(list.items().at(0)["current_task"].string() == "think");
  CHECK(list.items().at(0)["active_tasks"].integer() == 2);
  CHECK(list.items().at(0)["monthly_spend"].integer() == 12);

  // Absent fields are reset, except for the spending.
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id)).status == 200);
  list = platform.get("/workspaces", platform.admin);
  CHECK(list.items().at(0)["current_task"].string() == "");
  CHECK(list.items().at(0)["monthly_spend"].integer() == 12);
  CHECK(status_of(platform, a) == "online");
}

TEST_CASE("malformed and unauthorized heartbeats are refused") {
  Platform platform;
  const Member a = platform.add("a");
  const Member b = platform.add("b");
  for (const char* rest :
       {R"(,"uptime_seconds":12.5)", R"(,"active_tasks":"1")", R"(,"error_rate":"0")",
        R"(,"current_task":1)", R"(,"runtime_metadata":[])",
        R"(,"runtime_metadata":{"capabilities":{"x":1}})",
        R"(,"runtime_metadata":{"idle_timeout_seconds":"1"})", R"(,"monthly_spend":1e400)"}) {
    CAPTURE(rest);
    CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id, rest)).status == 400);
  }
  CHECK(platform.post("/registry/heartbeat", a.token, "{}").error() == "invalid request body");
  CHECK(platform.post("/registry/heartbeat", "", heartbeat_body(a.id)).status == 401);
  CHECK(platform.post("/registry/heartbeat", b.token, heartbeat_body(a.id)).status == 401);
  CHECK(platform.post("/registry/heartbeat", platform.admin, heartbeat_body(a.id)).status == 401);
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(unknown_id)).status == 401);
  CHECK(platform.ask("DELETE", "/workspaces/" + a.id, platform.admin).status == 200);
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id)).status == 401);
  CHECK(platform.post("/registry/register", a.token, register_body(a.id)).status == 401);
  CHECK(platform.post("/registry/register", platform.admin, register_body(a.id)).status == 410);
}

TEST_CASE("a heartbeat succeeds without the inbound secret if it cannot be created") {
  Platform platform;
  const Member a = platform.add("a");
  platform.set(a, "status = 'offline'");
  const bool on_server = platform.kept.on_server();
  if (on_server) {
    platform.database.execute(
        "CREATE FUNCTION no_secret() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE 'no'; END $$");
    platform.database.execute(
        "CREATE TRIGGER no_secret BEFORE UPDATE OF platform_inbound_secret ON workspaces"
        " FOR EACH ROW EXECUTE FUNCTION no_secret()");
  } else {
    platform.database.execute(
        "CREATE TRIGGER no_secret BEFORE UPDATE OF platform_inbound_secret ON workspaces BEGIN"
        " SELECT RAISE(ABORT, 'no'); END");
  }
  const auto reply = platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id));
  CHECK(reply.status == 200);
  CHECK(!reply["platform_inbound_secret"].present());
  CHECK(status_of(platform, a) == "online");
  CHECK(platform.post("/registry/register", a.token, register_body(a.id)).status == 200);
  platform.database.execute(on_server ? "DROP TRIGGER no_secret ON workspaces"
                                      : "DROP TRIGGER no_secret");
  const auto first = platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id));
  const auto second = platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id));
  CHECK(first["platform_inbound_secret"].string_or("").size() == 43);
  CHECK(first["platform_inbound_secret"].string() == second["platform_inbound_secret"].string());
}

TEST_CASE("update-card replaces the card") {
  Platform platform;
  Listener listener(platform);
  const Member a = platform.add("a");
  const std::string body =
      R"({"workspace_id":")" + a.id + R"(","agent_card":{"name":"new","skills":[]}})";
  CHECK(platform.post("/registry/update-card", a.token, body)["status"].string() == "updated");
  CHECK(platform.get("/workspaces/" + a.id, "")["agent_card"]["name"].string() == "new");
  CHECK(listener.count("AGENT_CARD_UPDATED") == 1);
  CHECK(platform.post("/registry/update-card", "", body).status == 401);
  CHECK(platform.post("/registry/update-card", a.token, heartbeat_body(a.id)).status == 400);
}

TEST_CASE("discover, peers and check-access follow the hierarchy") {
  Platform platform;
  const Member root = platform.add("Root");
  const Member other = platform.add("other root");
  const Member child = platform.add("child", root.id);
  const Member cousin = platform.add("cousin", other.id);
  platform.headers = {{"X-Workspace-ID", child.id}};
  CHECK(platform.get("/registry/discover/" + root.id, child.token)["name"].string() == "Root");
  CHECK(platform.get("/registry/discover/" + cousin.id, child.token).status == 403);
  CHECK(platform.get("/registry/discover/" + std::string(unknown_id), child.token).status == 403);
  CHECK(platform.get("/registry/discover/x", child.token).status == 403);
  CHECK(platform.get("/registry/discover/" + root.id, root.token).status == 401);
  platform.set(root, "status = 'offline'");
  CHECK(platform.get("/registry/discover/" + root.id, child.token).status == 503);
  platform.headers.clear();
  CHECK(platform.get("/registry/discover/" + root.id, child.token).status == 400);

  const auto names = [&](const Member& member, const std::string& query) {
    std::string joined;
    const auto peers = platform.get("/registry/" + member.id + "/peers" + query, member.token);
    for (const json::Value& peer : peers.items()) {
      joined += std::string(peer["name"].string_or("")) + ";";
    }
    return joined;
  };
  CHECK(names(root, "") == "other root;child;");
  CHECK(names(child, "") == "Root;");
  CHECK(names(root, "?q= OTHER ") == "other root;");
  CHECK(names(root, "?q=nobody") == "");
  platform.ask("DELETE", "/workspaces/" + other.id + "?confirm=true", platform.admin);
  CHECK(names(root, "") == "child;");
  CHECK(platform.get("/registry/" + root.id + "/peers", child.token).status == 401);

  const auto allowed = [&](std::string_view from, std::string_view to) {
    const auto reply = platform.post(
        "/registry/check-access", "",
        R"({"caller_id":")" + std::string(from) + R"(","target_id":")" + std::string(to) + "\"}");
    return reply["allowed"].boolean().value_or(false);
  };
  CHECK(allowed(root.id, child.id));
  CHECK(allowed(child.id, root.id));
  CHECK(!allowed(child.id, cousin.id));
  CHECK(allowed("same", "same"));
  CHECK(!allowed("x", child.id));
  CHECK(platform.post("/registry/check-access", "", "{}").status == 400);
}

TEST_CASE("the sweep takes silent workspaces offline, but not at the platform's start") {
  Platform platform;
  Listener listener(platform);
  const Member a = platform.add("a");
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id)).status == 200);
  const auto started = server::now_micros(platform.services);
  platform.clock.advance(std::chrono::seconds(90));
  platform.sweep(0);
  CHECK(status_of(platform, a) == "online");
  platform.clock.advance(std::chrono::seconds(1));
  platform.sweep(started + 60'000'000);
  CHECK(status_of(platform, a) == "online");
  platform.sweep(0);
  CHECK(status_of(platform, a) == "awaiting_agent");
  CHECK(listener.count("WORKSPACE_OFFLINE") == 1);
  CHECK(platform.get("/events", platform.admin).items().at(0)["event_type"].string() ==
        "WORKSPACE_OFFLINE");
  platform.sweep(0);
  CHECK(listener.count("WORKSPACE_OFFLINE") == 1);
}

TEST_CASE("the sweep runs every 15 s on the clock") {
  Platform platform;
  asio::io_context& loop = platform.loop;
  std::exception_ptr failure;
  TaskGroup tasks(loop.get_executor(), platform.clock,
                  [&](std::string_view, std::exception_ptr error) { failure = error; });
  const Member a = platform.add("a");
  CHECK(platform.post("/registry/heartbeat", a.token, heartbeat_body(a.id)).status == 200);
  tasks.spawn("sweep", server::sweep_task(platform.services));
  // Each sweep waits for the disk, and then for the clock.
  const auto run_to_its_sleep = [&] {
    loop.restart();
    loop.poll();
    const auto sleeps = [&] {
      const auto until = platform.clock.next();
      return until > platform.clock.now() && until != Clock::time_point::max();
    };
    while (!sleeps()) {
      REQUIRE(loop.run_one_for(test::max_wait) == 1);
    }
  };
  for (int i = 0; i < 7; ++i) {
    run_to_its_sleep();
    CHECK(status_of(platform, a) == "online");
    platform.clock.advance(std::chrono::seconds(15));
  }
  run_to_its_sleep();
  CHECK(status_of(platform, a) == "awaiting_agent");
  CHECK(platform.get("/workspaces/" + a.id + "/tokens", a.token)["tokens"]
            .items()
            .at(0)["last_used_at"]
            .is_string());
  tasks.cancel_all();
  loop.restart();
  loop.poll();
  CHECK(tasks.size() == 0);
  CHECK(!failure);
}
