// Quotas, the rate limit and retention (platform-api.md 9.6).

#include "server/api/limits/limits.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "base/async/step_proof_clock.hpp"
#include "server/api/limits/quotas.hpp"
#include "server/api/limits/retention.hpp"
#include "server/platform.hpp"

using namespace molecule;
using server::Limits;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

std::string message(const std::string& text, const std::string& id = "") {
  const std::string named = id.empty() ? "" : R"("messageId":")" + id + "\",";
  return R"({"method":"message/send","params":{"message":{)" + named +
         R"("parts":[{"kind":"text","text":")" + text + R"("}]}}})";
}

std::string header(const server::Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

server::Reply get(Platform& platform, const std::string& path, const std::string& token) {
  server::Request request;
  request.method = "GET";
  request.path = path;
  request.headers.emplace_back("Authorization", "Bearer " + token);
  return platform.handle(std::move(request));
}

/// Shares that a test can fill.
struct Small {
  Small() {
    Limits& limits = platform.services.limits;
    limits.sender_messages = 3;
    limits.message_bytes = 20'000;
    limits.sender_bytes = 5'000;
    limits.memory_bytes = 1'000;
    limits.key_value_bytes = 1'000;
  }
  Platform platform;
  Member own = platform.add("own");
  Member peer = platform.add("peer");
  Member other = platform.add("other");

  int send(const std::string& token, const std::string& text, const std::string& id = "") {
    return platform.post(path_of(own, "/a2a"), token, message(text, id)).status;
  }
  void poll() {
    const auto page = platform.get(path_of(own, "/activity?type=a2a_receive"), own.token);
    REQUIRE_FALSE(page.items().empty());
    const std::string last(page.items().front()["id"].string_or(""));
    platform.get(path_of(own, "/activity?type=a2a_receive&since_id=" + last), own.token);
  }
};

}  // namespace

TEST_CASE("limits are read from lines, and a mistake is named") {
  Limits limits;
  CHECK_FALSE(
      server::read_limits(limits, "# shares\n files = 7 \n\nmessage-bytes=2M\nkey-value-bytes=3G"));
  CHECK(limits.files == 7);
  CHECK(limits.message_bytes == 2 << 20);
  CHECK(limits.key_value_bytes == std::int64_t{3} << 30);
  CHECK_FALSE(server::set_limit(limits, "requests-per-minute", "0"));
  for (const char* line :
       {"files", "files = ", "files = x", "files = -1", "files = 0", "files = 1.5", "nothing = 1",
        "files = 99999999999999999999", "files = 9999999999G"}) {
    CAPTURE(line);
    const auto problem = server::read_limits(limits, std::string("files = 1\n") + line);
    REQUIRE(problem);
    CHECK(problem->starts_with("line 2: "));
  }
}

TEST_CASE("a token has a number of requests in a minute, and presence has its own") {
  Platform platform;
  platform.services.limits.requests_per_minute = 3;
  const Member own = platform.add("own");
  const Member peer = platform.add("peer");
  const auto ask = [&](const std::string& token) {
    return get(platform, path_of(own, "/memory"), token);
  };
  CHECK(header(ask(own.token), "X-RateLimit-Remaining") == "2");
  CHECK(header(ask(own.token), "X-RateLimit-Limit") == "3");
  CHECK(ask(own.token).status == 200);
  const server::Reply refused = ask(own.token);
  CHECK(refused.status == 429);
  CHECK(header(refused, "Retry-After") == "60");
  CHECK(header(refused, "X-RateLimit-Remaining") == "0");
  CHECK(refused.body.find(R"("retry_after":60)") != std::string::npos);
  CHECK(get(platform, path_of(own, "/activity"), own.token).status == 200);
  CHECK(header(get(platform, path_of(peer, "/memory"), peer.token), "X-RateLimit-Remaining") ==
        "2");
  for (int i = 0; i < 5; ++i) CHECK(ask(platform.admin).status == 200);
  CHECK(header(ask(platform.admin), "X-RateLimit-Limit") == "unlimited");
  CHECK(platform.services.refusals.counts().at("rate") == 1);
  platform.clock.advance(std::chrono::minutes(1));
  CHECK(ask(own.token).status == 200);
  platform.services.limits.requests_per_minute = 0;
  for (int i = 0; i < 5; ++i) CHECK(ask(own.token).status == 200);
}

TEST_CASE("one sender cannot fill an inbox, and the person always gets through") {
  Small small;
  for (int i = 0; i < 3; ++i) CHECK(small.send(small.peer.token, "m") == 200);
  CHECK(small.send(small.peer.token, "m") == 429);
  CHECK(small.send(small.other.token, "m") == 200);
  CHECK(small.send(small.platform.admin, "stop") == 200);
  small.poll();
  CHECK(small.send(small.peer.token, "m", "once") == 200);
  for (int i = 0; i < 2; ++i) CHECK(small.send(small.peer.token, "m") == 200);
  CHECK(small.send(small.peer.token, "m") == 429);
  // What was sent before is not refused when it is sent again.
  CHECK(small.send(small.peer.token, "m", "once") == 200);
}

TEST_CASE("a sender's waiting messages also have a size") {
  Small small;
  CHECK(small.send(small.peer.token, std::string(6'000, 'x')) == 200);
  CHECK(small.send(small.peer.token, "m") == 429);
  CHECK(small.send(small.other.token, std::string(4'000, 'x')) == 200);
}

TEST_CASE("a full inbox makes room by what was handled, and never by what waits") {
  Small small;
  Platform& platform = small.platform;
  for (int i = 0; i < 3; ++i) CHECK(small.send(small.peer.token, std::string(1'000, 'x')) == 200);
  for (int i = 0; i < 40; ++i) {
    platform.post(path_of(small.own, "/activity"), small.own.token,
                  R"({"activity_type":"agent_log","summary":")" + std::string(500, 's') + "\"}");
  }
  const auto count = [&](const std::string& type) {
    return platform.count(("SELECT count(*) FROM activity WHERE activity_type = '" + type + "'"));
  };
  CHECK(count("a2a_receive") == 3);
  CHECK(count("agent_log") < 40);
  CHECK(platform.count("SELECT max(message_bytes) FROM workspace_usage") <= 20'000);
  CHECK(small.send(platform.admin, std::string(30'000, 'x')) == 200);
  CHECK(count("a2a_receive") == 4);
  CHECK(small.send(small.other.token, "m") == 429);
  CHECK(platform.services.refusals.counts().at("messages") == 1);
}

TEST_CASE("memories, keys and files have shares, which deleting frees") {
  Small small;
  Platform& platform = small.platform;
  const auto remember = [&](std::size_t bytes) {
    return platform.post(path_of(small.own, "/memories"), small.own.token,
                         R"({"scope":"LOCAL","content":")" + std::string(bytes, ' ') + "\"}");
  };
  const auto first = remember(900);
  CHECK(first.status == 201);
  CHECK(remember(200).status == 413);
  platform.ask("DELETE", path_of(small.own, "/memories/") + std::string(first["id"].string_or("")),
               small.own.token);
  CHECK(remember(200).status == 201);

  const auto keep = [&](const std::string& key, std::size_t bytes) {
    return platform
        .post(path_of(small.own, "/memory"), small.own.token,
              R"({"key":")" + key + R"(","value":")" + std::string(bytes, 'v') + "\"}")
        .status;
  };
  CHECK(keep("a", 900) == 200);
  CHECK(keep("b", 200) == 413);
  CHECK(keep("a", 950) == 200);
  CHECK(keep("a", 100) == 200);
  CHECK(keep("b", 200) == 200);
  CHECK(platform.count("SELECT max(key_bytes) FROM workspace_usage") ==
        platform.count("SELECT sum(length(key) + length(value)) FROM workspace_memory"));
  platform.services.limits.files = 1;
  server::Context context(platform.services);
  const auto refused = [&](std::int64_t files) {
    return test::run(platform.loop, server::refuse_files(context, small.own.id, files, 0))
        .has_value();
  };
  CHECK_FALSE(refused(1));
  CHECK(refused(2));
}

TEST_CASE("a workspace has at most so many tokens") {
  Platform platform;
  platform.services.limits.tokens = 2;
  const Member own = platform.add("own");
  const auto mint = [&] { return platform.post(path_of(own, "/tokens"), own.token, "").status; };
  CHECK(mint() == 201);
  CHECK(mint() == 429);
}

TEST_CASE("old rows go: acknowledged ones after a week, all after a month") {
  Platform platform;
  const Member own = platform.add("own");
  const auto days = [](int count) { return std::chrono::hours(24 * count); };
  const auto send = [&] { platform.post(path_of(own, "/a2a"), platform.admin, message("m")); };
  const auto rows = [&] { return platform.count("SELECT count(*) FROM activity"); };
  const auto retain = [&] { test::run(platform.loop, server::delete_old_rows(platform.services)); };
  for (int i = 0; i < 300; ++i) send();
  const std::int64_t last = platform.count("SELECT max(seq) FROM activity");
  platform.post(path_of(own, "/activity/ack"), own.token,
                R"({"acked_seq":)" + std::to_string(last) + "}");
  send();
  platform.ask("PATCH", path_of(own, ""), own.token, R"({"name":"renamed"})");
  platform.post(path_of(own, "/pause"), platform.admin, "");
  platform.clock.advance(days(6));
  retain();
  CHECK(rows() == 301);
  CHECK(platform.count("SELECT count(*) FROM events") > 0);
  platform.clock.advance(days(2));
  retain();
  // The last acknowledged one is a cursor that a client may come back with.
  CHECK(rows() == 2);
  CHECK(platform.count("SELECT count(*) FROM events") == 0);
  CHECK(platform.count("SELECT messages FROM workspace_usage") == 2);
  platform.clock.advance(days(23));
  retain();
  CHECK(rows() == 0);
}

TEST_CASE("fault B11: a clock that was wrong for a while leaves nothing in the future") {
  test::VirtualClock system;
  StepProofClock clock(system);
  const auto start = clock.wall();
  const auto after = [&] {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.wall() - start).count();
  };
  system.step_wall(std::chrono::hours(72));
  system.advance(std::chrono::minutes(1));
  CHECK(after() == 60);
  system.step_wall(-std::chrono::hours(72));
  system.advance(std::chrono::minutes(1));
  CHECK(after() == 120);
  system.step_wall(std::chrono::milliseconds(1500));
  CHECK(after() == 121);
  system.suspend(std::chrono::hours(3));
  CHECK(after() == 121 + 3 * 3600);
  system.step_wall(-std::chrono::hours(1));
  CHECK(after() == 121 + 3 * 3600);
  system.advance(std::chrono::minutes(11));
  CHECK(after() == 121 + 2 * 3600 + 660);
}
