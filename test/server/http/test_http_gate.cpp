#include <doctest/doctest.h>

#include <algorithm>

#include "server/http/events/handshake.hpp"
#include "server/http/http_gate.hpp"
#include "server/http/http_request.hpp"

using namespace molecule::server;

namespace {

const GateRules rules{.hosts = {"agents.example"}, .origins = {"http://localhost:3000"}};

Request request(std::vector<std::pair<std::string, std::string>> headers,
                std::string method = "POST") {
  Request made;
  made.method = std::move(method);
  made.path = "/workspaces";
  made.headers = std::move(headers);
  return made;
}

int status(const Request& asked) {
  const auto reply = check_gate(rules, asked);
  return reply ? reply->status : 0;
}

std::string field(const Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("only our own names are served") {
  for (const char* host : {"127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]",
                           "[::1]:8080", "agents.example", "Agents.Example:443"}) {
    CAPTURE(host);
    CHECK(status(request({{"Host", host}})) == 0);
  }
  for (const char* host : {"evil.example", "127.0.0.1.evil.example", "localhost.", "10.0.0.1",
                           "[::2]:80", "127.0.0.2"}) {
    CAPTURE(host);
    CHECK(status(request({{"Host", host}})) == 403);
  }
  for (const char* host : {"", ":80", "localhost:", "localhost:x", "localhost:123456",
                           "localhost:80:80", "[::1", "[::1]x"}) {
    CAPTURE(host);
    CHECK(status(request({{"Host", host}})) == 400);
  }
  CHECK(status(request({})) == 400);
  CHECK(status(request({{"Host", "localhost"}, {"host", "localhost"}})) == 400);
  CHECK(status(request({{"Host ", "localhost"}})) == 400);
  CHECK(status(request({{"Host", "localhost"}, {"X \t", "y"}})) == 400);
}

TEST_CASE("pages of other sites are refused") {
  const auto from = [](const char* origin) {
    return request({{"Host", "localhost:8080"}, {"Origin", origin}});
  };
  CHECK(status(from("http://localhost:8080")) == 0);
  CHECK(status(from("https://localhost:8080")) == 0);
  CHECK(status(from("http://localhost:3000")) == 0);
  for (const char* origin :
       {"http://evil.example", "null", "", "http://localhost", "http://localhost:8080/",
        "localhost:8080", "http://localhost:30000"}) {
    CAPTURE(origin);
    const auto reply = check_gate(rules, from(origin));
    REQUIRE(reply);
    CHECK(reply->status == 403);
    CHECK(reply->body.starts_with("{\"error\":"));
  }
}

TEST_CASE("fault C10: behind a proxy the external URL's name and origin are own ones") {
  GateRules proxied;
  proxied.external_url = "https://Agents.Example:443/molecule";
  const auto status_of = [&](const char* host, const char* origin) {
    const auto reply = check_gate(proxied, request({{"Host", host}, {"Origin", origin}}));
    return reply ? reply->status : 0;
  };
  // The proxy passes Host on, or puts its own upstream's in.
  CHECK(status_of("agents.example", "https://agents.example") == 0);
  CHECK(status_of("127.0.0.1:8080", "https://agents.example") == 0);
  CHECK(status_of("AGENTS.example:443", "https://agents.example") == 0);
  for (const char* origin : {"https://agents.example:8443", "http://agents.example", "null",
                             "https://agents.example.evil", "https://evil.example"}) {
    CAPTURE(origin);
    CHECK(status_of("127.0.0.1:8080", origin) == 403);
  }
  CHECK(status_of("evil.example", "https://agents.example") == 403);
}

TEST_CASE("fault C10: origins are compared without the scheme's own port") {
  CHECK(status(request({{"Host", "LOCALHOST:80"}, {"Origin", "http://localhost"}})) == 0);
  CHECK(status(request({{"Host", "localhost:443"}, {"Origin", "https://localhost"}})) == 0);
  CHECK(status(request({{"Host", "localhost:443"}, {"Origin", "http://localhost"}})) == 403);
  CHECK(origin_of("HTTPS://A.b:8443/c/d?e") == "https://a.b:8443");
  CHECK(origin_of("http://[::1]:80") == "http://[::1]");
  for (const char* none : {"", "ftp://a", "http://", "http://:80", "a.b"}) {
    CAPTURE(none);
    CHECK(origin_of(none).empty());
  }
}

TEST_CASE("preflights and CORS fields are for listed origins") {
  const Request preflight =
      request({{"Host", "localhost:8080"}, {"Origin", "http://localhost:3000"}}, "OPTIONS");
  auto reply = check_gate(rules, preflight);
  REQUIRE(reply);
  CHECK(reply->status == 204);
  add_common_headers(rules, preflight, *reply);
  CHECK(field(*reply, "Access-Control-Allow-Origin") == "http://localhost:3000");
  CHECK(field(*reply, "Access-Control-Allow-Headers").find("Authorization") != std::string::npos);

  Reply own = json_reply(200, "{}");
  add_common_headers(rules, request({{"Host", "x"}, {"Origin", "http://x"}}), own);
  CHECK(field(own, "Access-Control-Allow-Origin").empty());
  CHECK(field(own, "X-Content-Type-Options") == "nosniff");
  CHECK(field(own, "Content-Security-Policy") == "default-src 'self'");
  const Request page = request({{"Host", "x"}});
  Reply page_reply = text_reply(200, "");
  page_reply.policy = ContentPolicy::page;
  add_common_headers(rules, page, page_reply);
  const std::string policy = field(page_reply, "Content-Security-Policy");
  CHECK(policy.starts_with("default-src 'none'; script-src 'self'; "));
  CHECK(policy.find("unsafe") == std::string::npos);
}

TEST_CASE("request targets are split and decoded") {
  const auto plain = parse_target("/a%20b+c/%zz?x=1+2&y=%41&x=3&z&=q&w=a=b#f");
  REQUIRE(plain);
  CHECK(plain->path == "/a%20b+c/%zz");
  CHECK(decode_segment("a%20b+c%2Fd%zz") == "a b+c/d%zz");
  CHECK(plain->query ==
        std::map<std::string, std::string>{{"x", "1 2"}, {"y", "A"}, {"z", ""}, {"w", "a=b"}});
  for (const char* bad : {"", "ftp://x/", "x:80", "http:///a", "http://u@x/", "a"})
    CHECK(!parse_target(bad));
  CHECK(!plain->host);
  const auto whole = parse_target("HTTP://x:80/a?b=c");
  REQUIRE(whole);
  CHECK(whole->host == "x:80");
  CHECK(whole->path == "/a");
  CHECK(whole->query.at("b") == "c");
  CHECK(parse_target("https://x")->path == "/");
  CHECK(parse_target("*")->path == "*");
  CHECK(parse_target("/?")->query.empty());
  CHECK(parse_target("/?&&=&")->query.empty());
}

TEST_CASE("a path below the public address is served without that") {
  CHECK(prefix_of("https://example.org/a/b/") == "/a/b");
  CHECK(prefix_of("http://example.org:1/").empty());
  CHECK(prefix_of("https://example.org").empty());
  CHECK(prefix_of("").empty());
  const auto without = [](std::string path, std::string_view prefix) {
    remove_prefix(path, prefix);
    return path;
  };
  CHECK(without("/a/b/x%2Fy", "/a/b") == "/x%2Fy");
  CHECK(without("/a/b/", "/a/b") == "/");
  for (const char* other : {"/a/b", "/a/bc/x", "/x/a/b/", "/A/b/x", "*"}) {
    CHECK(without(other, "/a/b") == other);
  }
  CHECK(without("/x", "") == "/x");
  Request bare = request({});
  bare.method = "GET";
  bare.path = "/a/b";
  CHECK(field(prefix_redirect(bare, "/a/b").value(), "Location") == "b/");
  CHECK(!prefix_redirect(bare, "/a"));
  CHECK(!prefix_redirect(bare, ""));
  bare.method = "POST";
  CHECK(!prefix_redirect(bare, "/a/b"));
}

TEST_CASE("browsers send their token as a subprotocol") {
  CHECK(socket_offer(request({{"Sec-WebSocket-Protocol", "x, bearer.abc"}})).token == "abc");
  CHECK(!socket_offer(request({{"Sec-WebSocket-Protocol", "x"}})).token);
  CHECK(!socket_offer(request({})).token);
}
