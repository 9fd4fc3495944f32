#include "server/http/http_server.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <array>

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "server/platform.hpp"
#include "support/run.hpp"

using namespace molecule;
using test::Member;
using test::Platform;

namespace {

using asio::ip::tcp;

/// A platform that listens, and raw clients on the same loop.
struct Fixture {
  Fixture() {
    services.max_body_bytes = 1000;
    server.emplace(loop, services, router, server::HttpServer::Options());
  }
  ~Fixture() {
    test::run(loop, server->stop());
    loop.stop();
  }

  /// Sends `bytes` on a new connection and returns everything that arrives until the server closes
  /// it.
  std::string exchange(const std::string& bytes) {
    return test::run(loop, talk(loop, server->port(), bytes));
  }

  static awaitable<std::string> talk(asio::io_context& loop, std::uint16_t port,
                                     std::string bytes) {
    tcp::socket socket(loop);
    const tcp::endpoint peer(asio::ip::address_v4::loopback(), port);
    co_await socket.async_connect(peer, asio::use_awaitable);
    [[maybe_unused]] auto [failure, written] =
        co_await asio::async_write(socket, asio::buffer(bytes), as_tuple);
    std::string all;
    [[maybe_unused]] auto [ended, read] =
        co_await asio::async_read(socket, asio::dynamic_buffer(all), as_tuple);
    CHECK(ended == asio::error::eof);
    co_return all;
  }

  Platform platform;
  asio::io_context& loop = platform.loop;
  SystemClock clock;
  server::Services services{.store = *platform.store,
                            .clock = clock,
                            .events = platform.events,
                            .admin_token = platform.admin,
                            .base_url = ""};
  server::Router router{services, server::all_routes()};
  std::optional<server::HttpServer> server;
};

std::string request(const std::string& line, const std::string& fields = "",
                    const std::string& body = "") {
  std::string text = line + " HTTP/1.1\r\nHost: localhost\r\n" + fields;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

const std::string last = "Connection: close\r\n";

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("requests over a socket") {
  Fixture fixture;
  const std::string health = fixture.exchange(request("GET /health", last));
  CHECK(health.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(health.ends_with("\r\n\r\n{\"status\":\"ok\"}"));
  CHECK(health.find("Content-Length: 15\r\n") != std::string::npos);
  CHECK(health.find("Content-Type: application/json; charset=utf-8\r\n") != std::string::npos);
  CHECK(health.find("X-Frame-Options: DENY\r\n") != std::string::npos);
  const std::string head = fixture.exchange(request("HEAD /health", last));
  CHECK(head.find("Content-Length: 15\r\n") != std::string::npos);
  CHECK(head.ends_with("\r\n\r\n"));
  const std::string page = fixture.exchange(request("GET /", last));
  CHECK(page.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(page.find("Content-Security-Policy: default-src 'none'; script-src 'self'") !=
        std::string::npos);
  CHECK(fixture.exchange(request("GET /workspaces/", last)).starts_with("HTTP/1.1 301"));
  CHECK(fixture.exchange(request("GET /ws", last)).starts_with("HTTP/1.1 400"));
}

TEST_CASE("many pipelined requests are answered in order") {
  Fixture fixture;
  std::string all;
  for (int i = 0; i < 200; ++i) all += request(i % 2 == 0 ? "GET /health" : "GET /nothing");
  const std::string answers = fixture.exchange(all + request("GET /health", last));
  CHECK(count(answers, "HTTP/1.1 200 OK") == 101);
  CHECK(count(answers, "HTTP/1.1 404 Not Found") == 100);
  CHECK(answers.ends_with("{\"status\":\"ok\"}"));
}

TEST_CASE("requests refused by the transport get an answer") {
  Fixture fixture;
  const auto status = [&](const std::string& bytes) {
    const std::string reply = fixture.exchange(bytes);
    return reply.substr(0, std::min(reply.find("\r\n"), reply.size()));
  };
  CHECK(status("NONSENSE\r\n\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(status("GET / HTTP/1.1\r\n" + last + "\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(status("GET / HTTP/1.1\r\nHost : localhost\r\n" + last + "\r\n") ==
        "HTTP/1.1 400 Bad Request");
  CHECK(status(request("GET /" + std::string(100'000, 'a'), last)) ==
        "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(status("GET / HTTP/1.1\r\nHost: evil.example\r\n" + last + "\r\n") ==
        "HTTP/1.1 403 Forbidden");
  CHECK(status(request("GET /health", last + "Origin: http://evil.example\r\n")) ==
        "HTTP/1.1 403 Forbidden");
  CHECK(status(request("GET ftp://localhost/health", last)) == "HTTP/1.1 400 Bad Request");
  CHECK(status(request("GET *", last)) == "HTTP/1.1 400 Bad Request");
  // A good request before it is answered first.
  const std::string both = fixture.exchange(request("GET /health") + "NONSENSE\r\n\r\n");
  CHECK(both.starts_with("HTTP/1.1 200 OK"));
  CHECK(count(both, "HTTP/1.1 400 Bad Request") == 1);
}

TEST_CASE("a body over the cap is answered, though it is still being sent") {
  Fixture fixture;
  for (const std::size_t size : {std::size_t{1001}, std::size_t{5'000'000}}) {
    const std::string reply =
        fixture.exchange(request("POST /registry/check-access", "", std::string(size, 'x')));
    CHECK(reply.starts_with("HTTP/1.1 413 Payload Too Large\r\n"));
    CHECK(
        reply.ends_with(R"({"error":"request body too large","truncated":true,"max_bytes":1000})"));
  }
  std::string chunked =
      "POST /registry/check-access HTTP/1.1\r\nHost: localhost\r\n"
      "Transfer-Encoding: chunked\r\nAuthorization: Bearer " +
      fixture.platform.admin + "\r\n\r\n";
  for (int i = 0; i < 100; ++i) chunked += "64\r\n" + std::string(100, 'x') + "\r\n";
  CHECK(fixture.exchange(chunked + "0\r\n\r\n").starts_with("HTTP/1.1 413"));
  const std::string fits(1000, ' ');
  CHECK(fixture.exchange(request("POST /registry/check-access", last, fits))
            .starts_with("HTTP/1.1 400"));
}

namespace {

const std::string handshake =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Reads until `mark` has arrived or the connection ended; returns everything.
awaitable<std::string> read_until(tcp::socket& socket, std::string mark) {
  std::string all;
  std::string part(4096, '\0');
  while (all.find(mark) == std::string::npos) {
    auto [failure, size] = co_await socket.async_read_some(asio::buffer(part), as_tuple);
    if (failure) co_return all + "<end>";
    all += part.substr(0, size);
  }
  co_return all;
}

awaitable<void> listen_to_events(Fixture& fixture, const Member& member) {
  tcp::socket socket(fixture.loop);
  const tcp::endpoint peer(asio::ip::address_v4::loopback(), fixture.server->port());
  co_await socket.async_connect(peer, asio::use_awaitable);
  const std::string hello =
      request("GET /ws", handshake + "Authorization: Bearer " + member.token + "\r\n");
  co_await asio::async_write(socket, asio::buffer(hello), asio::use_awaitable);
  const std::string accepted = co_await read_until(socket, "\r\n\r\n");
  CHECK(accepted.starts_with("HTTP/1.1 101"));
  CHECK(accepted.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
  CHECK(count(accepted, "\r\nDate: ") == 1);

  fixture.platform.post("/registry/heartbeat", member.token,
                        R"({"workspace_id":")" + member.id + "\"}");
  const std::string event = co_await read_until(socket, "uptime_seconds");
  CHECK(event.find("WORKSPACE_HEARTBEAT") != std::string::npos);

  // A ping, masked with zeros, comes back as a pong.
  const std::string ping("\x89\x82\0\0\0\0hi", 8);
  co_await asio::async_write(socket, asio::buffer(ping), asio::use_awaitable);
  const std::string pong = co_await read_until(socket, "hi");
  CHECK(pong == std::string("\x8a\x02hi", 4));

  // Its rights are checked at each event.
  fixture.platform.revoke_tokens(member.id);
  server::Context context(fixture.platform.services);
  context.events.broadcast("SECRET", member.id, "{}");
  fixture.platform.emit(context);
  const std::string farewell = co_await read_until(socket, "\x03\xf0");
  CHECK(farewell == std::string("\x88\x02\x03\xf0", 4));  // 1008
  const std::string answer("\x88\x80\0\0\0\0", 6);
  co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
  CHECK(co_await read_until(socket, "SECRET") == "<end>");
}

awaitable<void> claim_a_huge_frame(Fixture& fixture) {
  tcp::socket socket(fixture.loop);
  const tcp::endpoint peer(asio::ip::address_v4::loopback(), fixture.server->port());
  co_await socket.async_connect(peer, asio::use_awaitable);
  const std::string hello = request(
      "GET /ws", handshake + "Sec-WebSocket-Protocol: bearer." + fixture.platform.admin + "\r\n");
  co_await asio::async_write(socket, asio::buffer(hello), asio::use_awaitable);
  const std::string accepted = co_await read_until(socket, "\r\n\r\n");
  CHECK(accepted.find("Sec-WebSocket-Protocol: bearer.") != std::string::npos);
  const std::string frame("\x82\xff\x00\x00\x00\xff\xff\xff\xff\xff\0\0\0\0", 14);
  co_await asio::async_write(socket, asio::buffer(frame), asio::use_awaitable);
  const std::string rest = co_await read_until(socket, "never");
  CHECK(rest == std::string("\x88\x02\x03\xf1<end>", 9));  // 1009
}

/// As a page of the hosted platform logs in, and what else comes back.
awaitable<void> break_the_protocol(Fixture& fixture) {
  tcp::socket socket(fixture.loop);
  const tcp::endpoint peer(asio::ip::address_v4::loopback(), fixture.server->port());
  co_await socket.async_connect(peer, asio::use_awaitable);
  std::string hex;
  for (const char c : fixture.platform.admin) hex += fmt::format("{:02x}", c);
  const std::string hello = request(
      "GET /ws", handshake + "Sec-WebSocket-Protocol: molecule-auth." + hex + ", molecule-ws\r\n");
  co_await asio::async_write(socket, asio::buffer(hello), asio::use_awaitable);
  const std::string accepted = co_await read_until(socket, "\r\n\r\n");
  CHECK(accepted.find("Sec-WebSocket-Protocol: molecule-ws\r\n") != std::string::npos);
  CHECK(accepted.find(hex) == std::string::npos);
  // A frame without a mask.
  const std::string frame("\x81\x02hi", 4);
  co_await asio::async_write(socket, asio::buffer(frame), asio::use_awaitable);
  const std::string rest = co_await read_until(socket, "never");
  CHECK(rest == std::string("\x88\x02\x03\xea<end>", 9));  // 1002
}

}  // namespace

TEST_CASE("events on a WebSocket") {
  Fixture fixture;
  const Member member = fixture.platform.add("a");
  test::run(fixture.loop, listen_to_events(fixture, member));
  test::run(fixture.loop, claim_a_huge_frame(fixture));
  test::run(fixture.loop, break_the_protocol(fixture));
  CHECK(fixture.exchange(request("GET /ws", handshake)).starts_with("HTTP/1.1 401"));
  CHECK(fixture.exchange(request("GET /health", handshake)).starts_with("HTTP/1.1 200"));
}

TEST_CASE("a port that is taken is an error") {
  Fixture fixture;
  server::HttpServer::Options same;
  same.port = fixture.server->port();
  CHECK_THROWS_AS(server::HttpServer(fixture.loop, fixture.services, fixture.router, same),
                  std::system_error);
}

TEST_CASE("only known senders have large bodies in memory") {
  Fixture fixture;
  // Requests without a token stay at the initial limit of 1000.
  fixture.services.max_body_bytes = 2000;
  fixture.services.max_upload_bytes = 3000;
  const Member a = fixture.platform.add("a");
  const Member b = fixture.platform.add("b");
  const auto status = [&](const std::string& line, const std::string& token, std::size_t size) {
    const std::string field = token.empty() ? "" : "Authorization: Bearer " + token + "\r\n";
    const std::string reply = fixture.exchange(
        request("POST " + line, field + "Content-Length: " + std::to_string(size) + "\r\n"));
    return reply.substr(9, 3);
  };
  const std::string uploads = test::path_of(a, "/chat/uploads");
  // Only the head was sent: the answer does not wait for the body.
  CHECK(status(uploads, "", 1001) == "401");
  CHECK(status(uploads, "nonsense", 1001) == "401");
  CHECK(status(uploads, b.token, 1001) == "401");
  CHECK(status(uploads, a.token, 3001) == "413");
  CHECK(status("/x/chat/uploads", a.token, 2001) == "413");
  CHECK(status(test::path_of(a, "/a2a"), "", 1001) == "401");
  CHECK(status(test::path_of(a, "/a2a"), "nonsense", 1001) == "401");
  CHECK(status(test::path_of(a, "/a2a"), b.token, 2001) == "413");
  const auto whole = [&](const std::string& line, const std::string& token, std::size_t size) {
    return fixture
        .exchange(request("POST " + line, last + "Authorization: Bearer " + token + "\r\n",
                          std::string(size, ' ')))
        .substr(9, 3);
  };
  CHECK(whole(uploads, a.token, 3000) == "400");  // no form
  CHECK(whole(uploads, fixture.platform.admin, 3000) == "400");
  CHECK(whole(test::path_of(a, "/a2a"), b.token, 2000) == "400");
}

TEST_CASE("every answer says when it was made") {
  Fixture fixture;
  const auto in_imf_form = [](std::time_t time) {
    std::array<char, 64> text{};
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::strftime(text.data(), text.size(), "\r\nDate: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    return std::string(text.data());
  };
  for (const std::string& bytes :
       {request("GET /health", last), request("GET /nothing", last), request("HEAD /", last),
        request("GET /workspaces", last), std::string("NONSENSE\r\n\r\n"),
        request("POST /a", "Content-Length: 1001\r\n")}) {
    const std::time_t before = std::time(nullptr);
    const std::string reply = fixture.exchange(bytes);
    const std::time_t after = std::time(nullptr);
    CAPTURE(reply);
    CHECK(count(reply, "\r\nDate: ") == 1);
    bool right = false;
    for (std::time_t time = before; time <= after; ++time) {
      right = right || reply.find(in_imf_form(time)) != std::string::npos;
    }
    CHECK(right);
  }
}
