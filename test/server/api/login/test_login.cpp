// page.md 1: logins, sessions, and what a cookie may do.

#include <doctest/doctest.h>

#include "server/access/sessions.hpp"
#include "server/platform.hpp"

using namespace molecule;
using test::Answer;
using test::Platform;

namespace {

constexpr std::string_view cookie_name = "molecule_session";

/// A browser: it keeps the cookie, and says where its requests come from.
struct Browser {
  explicit Browser(Platform& served) : platform(served) {}

  Answer ask(std::string_view method, const std::string& target, std::string_view body = "") {
    platform.headers = {{"Cookie", "other=1; " + cookie}};
    if (!origin.empty()) platform.headers.emplace_back("Origin", origin);
    Answer answer = platform.ask(method, target, "", body);
    platform.headers.clear();
    return answer;
  }
  /// Returns the reply's status.
  int log_in(const std::string& method, const std::string& query, const std::string& body = "") {
    server::Request request;
    request.method = method;
    request.path = "/login";
    if (!query.empty()) request.query["code"] = query;
    request.headers = {{"User-Agent", "test\nbrowser"}};
    request.body = body;
    const server::Reply reply = platform.handle(std::move(request));
    for (const auto& [name, value] : reply.headers) {
      if (name == "Set-Cookie") cookie = value.substr(0, value.find(';'));
      if (name == "Location") location = value;
    }
    return reply.status;
  }
  std::string id() { return std::string(ask("GET", "/session")["session"]["id"].string_or("")); }

  Platform& platform;
  std::string cookie;
  std::string origin = "http://127.0.0.1:8080";
  std::string location;
};

std::string mint_code(Platform& platform) {
  server::Context context(platform.services);
  test::run(platform.loop, context.begin_writing());
  std::string code =
      test::run(platform.loop, server::mint_login_code(context.store, context.wall_micros()));
  test::run(platform.loop, context.store.commit());
  return code;
}

}  // namespace

TEST_CASE("a code logs in once, within ten minutes, and leaves no trace in the URL") {
  Platform platform;
  Browser browser(platform);
  const std::string code = mint_code(platform);
  CHECK(browser.log_in("HEAD", code) == 303);
  CHECK(browser.cookie.empty());
  CHECK(browser.log_in("GET", code) == 303);
  CHECK(browser.location == "./");
  CHECK(browser.cookie.starts_with(cookie_name));
  CHECK(browser.ask("GET", "/workspaces").status == 200);
  // 256 random bits, of which the store has no copy.
  const std::string secret = browser.cookie.substr(browser.cookie.find('=') + 1);
  CHECK(secret.size() == 43);
  const auto rows = platform.database.rows("SELECT hash FROM sessions");
  REQUIRE(rows.size() == 1);
  CHECK(rows[0][0] == server::sha256_hex(secret));

  Browser other(platform);
  CHECK(other.log_in("GET", code) == 303);
  CHECK(other.location == "./#login-expired");
  CHECK(other.cookie.empty());
  const std::string old = mint_code(platform);
  platform.clock.advance(std::chrono::minutes(11));
  CHECK(other.log_in("POST", "", R"({"code":")" + old + R"("})") == 401);
  CHECK(other.log_in("POST", "", R"({"code":")" + mint_code(platform) + R"("})") == 200);
}

TEST_CASE("the admin token is exchanged for a cookie; anything else is refused") {
  Platform platform;
  Browser browser(platform);
  CHECK(browser.log_in("POST", "", R"({"token":"nonsense"})") == 401);
  CHECK(browser.log_in("POST", "", R"({"token":""})") == 400);
  CHECK(browser.log_in("POST", "", R"({"token":1})") == 400);
  CHECK(browser.log_in("POST", "", "x") == 400);
  CHECK(browser.cookie.empty());
  CHECK(browser.log_in("POST", "", R"({"token":" the-admin-token\n"})") == 200);
  const Answer session = browser.ask("GET", "/session");
  CHECK(session["session"]["current"].boolean() == true);
  CHECK(session["session"]["user_agent"].string_or("").find('\n') == std::string_view::npos);
}

TEST_CASE("a cookie is the admin's, but changes need the page's own origin") {
  Platform platform;
  Browser browser(platform);
  const test::Member agent = platform.add("agent");
  REQUIRE(browser.log_in("GET", mint_code(platform)) == 303);
  const std::string created = R"({"name":"B","external":true})";
  CHECK(browser.ask("POST", "/workspaces", created).status == 201);
  CHECK(browser.ask("GET", path_of(agent, "/activity")).status == 200);
  CHECK(browser.ask("GET", path_of(agent, "/state")).status == 401);
  browser.origin.clear();
  CHECK(browser.ask("GET", "/workspaces").status == 200);
  for (const char* method : {"POST", "PATCH", "DELETE"}) {
    const std::string target = std::string(method) == "POST" ? "/workspaces" : path_of(agent, "");
    const Answer refused = browser.ask(method, target, created);
    CHECK(refused.status == 403);
    CHECK(refused["code"].string() == "origin_required");
  }
  CHECK(browser.ask("POST", "/logout").status == 403);
  // Browsers that send no Origin say the same in another field.
  platform.headers = {{"Cookie", browser.cookie}, {"Sec-Fetch-Site", "same-origin"}};
  CHECK(platform.post("/workspaces", "", created).status == 201);
  // The handshake of a WebSocket is a GET.
  server::Request handshake;
  handshake.method = "GET";
  handshake.path = "/ws";
  handshake.headers = {{"Cookie", browser.cookie}};
  CHECK(!test::run(platform.loop, platform.router.admit(handshake)).ok());
  handshake.headers.emplace_back("Origin", browser.origin);
  CHECK(test::run(platform.loop, platform.router.admit(handshake)).ok());
  // A wrong token never falls back to the cookie.
  platform.headers = {{"Cookie", browser.cookie}, {"Origin", browser.origin}};
  CHECK(platform.get("/workspaces", "nonsense").status == 401);
}

TEST_CASE("sessions are listed, revoked, and end 30 days after their last use") {
  Platform platform;
  Browser first(platform);
  Browser second(platform);
  REQUIRE(first.log_in("GET", mint_code(platform)) == 303);
  REQUIRE(second.log_in("GET", mint_code(platform)) == 303);
  CHECK(first.ask("GET", "/sessions")["sessions"].items().size() == 2);
  // The WebSocket of a revoked session is closed without waiting for an event.
  int closed = 0;
  server::Caller listener = server::Caller::admin();
  listener.session_id = second.id();
  platform.events.subscribe(
      {.caller = listener, .send = [](const std::string&) {}, .revoke = [&] { ++closed; }});
  test::run(platform.loop, platform.events.close_revoked());
  CHECK(closed == 0);
  CHECK(first.ask("DELETE", "/sessions/" + second.id()).status == 200);
  CHECK(closed > 0);
  CHECK(first.ask("DELETE", "/sessions/nonsense").status == 404);
  CHECK(second.ask("GET", "/session").status == 401);

  for (int days = 0; days < 60; days += 20) {
    platform.clock.advance(std::chrono::hours(24 * 20));
    CHECK(first.ask("GET", "/session").status == 200);
    platform.sweep(0);
  }
  CHECK(second.log_in("GET", mint_code(platform)) == 303);
  CHECK(second.ask("DELETE", "/sessions")["count"].integer() == 1);
  CHECK(first.ask("GET", "/session").status == 401);
  CHECK(second.ask("POST", "/logout").status == 200);
  CHECK(second.ask("GET", "/session").status == 401);
  CHECK(first.log_in("GET", mint_code(platform)) == 303);
  platform.clock.advance(std::chrono::hours(24 * 31));
  CHECK(first.ask("GET", "/session").status == 401);
  platform.sweep(0);
  CHECK(platform.count("SELECT count(*) FROM sessions") == 0);
}

TEST_CASE("the cookie is marked as secure where the browser speaks https") {
  Platform platform;
  const auto cookie = [&](std::vector<std::pair<std::string, std::string>> headers) {
    server::Request request;
    request.method = "POST";
    request.path = "/login";
    request.headers = std::move(headers);
    request.body = R"({"token":"the-admin-token"})";
    const server::Reply reply = platform.handle(std::move(request));
    for (const auto& [name, value] : reply.headers) {
      if (name == "Set-Cookie") return value;
    }
    return std::string();
  };
  const auto secure = [&](std::vector<std::pair<std::string, std::string>> headers) {
    return cookie(std::move(headers)).find("; Secure;") != std::string::npos;
  };
  CHECK(cookie({}).find("HttpOnly; SameSite=Strict; Path=/;") != std::string::npos);
  CHECK(!secure({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}}));
  CHECK(secure({{"Host", "agents.example"}, {"X-Forwarded-Proto", "HTTPS, http"}}));
  CHECK(secure({{"Host", "agents.example"}, {"Origin", "https://agents.example"}}));
  CHECK(!secure({{"X-Forwarded-Proto", "http"}, {"Origin", "https://agents.example"}}));
  CHECK(!secure({{"Host", "127.0.0.1:8080"}}));
  platform.services.base_url = "https://agents.example/team";
  CHECK(secure({{"Host", "agents.example"}}));
  // Of a proxy that says neither; on the machine itself browsers take such a cookie.
  CHECK(secure({{"Host", "127.0.0.1:8080"}}));
  // Past the proxy, where a browser would drop it.
  CHECK(!secure({{"Host", "10.0.0.7:8080"}}));
  CHECK(!secure({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}}));
}

TEST_CASE("browsers that list the sessions hear of each that comes and goes") {
  Platform platform;
  std::vector<std::string> heard;
  platform.events.subscribe({.caller = server::Caller::admin(),
                             .send = [&](const std::string& text) { heard.push_back(text); },
                             .revoke = [] {}});
  Browser first(platform);
  Browser second(platform);
  REQUIRE(first.log_in("GET", mint_code(platform)) == 303);
  REQUIRE(second.log_in("POST", "", R"({"token":"the-admin-token"})") == 200);
  CHECK(heard.size() == 2);
  CHECK(second.ask("POST", "/logout").status == 200);
  CHECK(first.ask("DELETE", "/sessions").status == 200);
  REQUIRE(heard.size() == 4);
  for (const std::string& text : heard) {
    CHECK(text.find(R"("event":"PART_CHANGED")") != std::string::npos);
    CHECK(text.find(R"({"part":"sessions"})") != std::string::npos);
  }
}
