// Requests without a right credential count for their address (platform-api.md 9.6).

#include <doctest/doctest.h>

#include <asio/ip/address.hpp>
#include <chrono>
#include <string>

#include "server/http/limits/client_network.hpp"
#include "server/http/limits/guess_brake.hpp"
#include "server/platform.hpp"

using namespace molecule;
using server::RequestRates;
using test::Member;
using test::path_of;
using test::Platform;

namespace {

std::string network(std::string_view address) {
  return server::client_network(asio::ip::make_address(address)).to_string();
}

std::string header(const server::Reply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.headers) {
    if (key == name) return value;
  }
  return "";
}

/// An address that may ask five times a minute.
struct Crowd {
  Crowd() { platform.services.limits.client_requests_per_minute = 5; }

  server::Reply ask(std::string method, std::string path, std::string_view token,
                    std::string_view body = "") {
    server::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.client = here;
    if (const std::size_t code = request.path.find("?code="); code != std::string::npos) {
      request.query["code"] = request.path.substr(code + 6);
      request.path.resize(code);
    }
    if (!token.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + std::string(token));
    }
    request.body = body;
    return platform.handle(std::move(request));
  }
  int status(std::string method, std::string path, std::string_view token,
             std::string_view body = "") {
    return ask(std::move(method), std::move(path), token, body).status;
  }
  void use_up() {
    for (int i = 0; i < 5; ++i) CHECK(status("GET", "/nothing", "") == 404);
    REQUIRE(status("GET", "/nothing", "") == 429);
  }

  Platform platform;
  asio::ip::address here = asio::ip::make_address("192.0.2.1");
  Member own = platform.add("own");
};

std::string beat(const Member& member) {
  return R"({"workspace_id":")" + member.id + "\"}";
}

}  // namespace

TEST_CASE("a client is an IPv4 address, or a network of IPv6") {
  CHECK(network("192.0.2.1") == "192.0.2.1");
  CHECK(network("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(network("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::");
  CHECK(network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::"));
  CHECK(network("2001:db8:1:3::1") != network("2001:db8:1:2::1"));
}

TEST_CASE("without a right credential an address has a number of requests in a minute") {
  Crowd crowd;
  const std::string body = beat(crowd.own);
  const std::string memory = path_of(crowd.own, "/memory");
  const server::Reply first = crowd.ask("GET", "/nothing", "");
  CHECK(first.status == 404);
  CHECK(header(first, "X-RateLimit-Remaining") == "4");
  CHECK(crowd.status("POST", "/registry/heartbeat", "wrong", body) == 401);
  CHECK(crowd.status("GET", memory, "wrong") == 401);
  CHECK(crowd.status("GET", "/login?code=wrong", "") == 303);
  CHECK(crowd.status("GET", "/workspaces/" + crowd.own.id, "") == 200);
  const server::Reply refused = crowd.ask("GET", memory, "wrong");
  CHECK(refused.status == 429);
  CHECK(header(refused, "Retry-After") == "60");
  CHECK(refused.body.find("without a valid token from this address") != std::string::npos);
  CHECK(crowd.status("GET", memory, "") == 429);
  CHECK(crowd.status("GET", "/nothing", "wrong") == 429);
  CHECK(crowd.status("GET", "/workspaces/" + crowd.own.id, "") == 429);
  CHECK(crowd.status("POST", "/registry/register", "", "{") == 429);
  CHECK(crowd.status("POST", "/login", "", R"({"token":"wrong"})") == 429);
  CHECK(crowd.status("GET", "/login?code=wrong", "") == 429);
  CHECK(crowd.platform.services.refusals.counts().at("client-rate") == 7);
  crowd.here = asio::ip::make_address("192.0.2.2");
  CHECK(crowd.status("GET", memory, "wrong") == 401);
  crowd.here = asio::ip::make_address("192.0.2.1");
  crowd.platform.clock.advance(std::chrono::minutes(1));
  CHECK(crowd.status("GET", memory, "wrong") == 401);
  crowd.platform.services.limits.client_requests_per_minute = 0;
  for (int i = 0; i < 10; ++i) CHECK(crowd.status("GET", memory, "wrong") == 401);
}

TEST_CASE("right credentials never count for their address, nor do probes and the page") {
  Crowd crowd;
  crowd.use_up();
  const std::string admin = crowd.platform.admin;
  for (int i = 0; i < 10; ++i) {
    const Member member = crowd.platform.add("member " + std::to_string(i));
    CHECK(crowd.status("POST", "/registry/heartbeat", member.token, beat(member)) == 200);
    CHECK(crowd.status("GET", "/workspaces/" + member.id, member.token) == 200);
    CHECK(crowd.status("GET", "/nothing", member.token) == 404);
    CHECK(crowd.status("GET", "/workspaces", admin) == 200);
    CHECK(crowd.status("GET", "/nothing", admin) == 404);
    for (const char* free : {"/health", "/ready", "/login/info"}) {
      CHECK(crowd.status("GET", free, "") == 200);
    }
    CHECK(crowd.status("GET", "/", "") != 429);
  }
  CHECK(crowd.status("POST", "/login", "", R"({"token":")" + admin + "\"}") == 200);
  // What the address refused was never counted for the token.
  CHECK(header(crowd.ask("GET", "/nothing", crowd.own.token), "X-RateLimit-Remaining") == "599");
}

TEST_CASE("a token that its address's refusal hides is slowed like any wrong one") {
  Crowd crowd;
  crowd.use_up();
  server::GuessBrake brake(crowd.platform.clock);
  int waits = 0;
  for (int i = 0; i < 1000; ++i) {
    server::Request request;
    request.path = "/nothing";
    request.client = crowd.here;
    request.headers.emplace_back("Authorization", "Bearer guess");
    server::Reply reply = crowd.ask("GET", i % 2 == 0 ? "/nothing" : "/workspaces", "guess");
    CHECK(reply.status == 429);
    waits += brake.slows(request, reply) ? 1 : 0;
  }
  CHECK(waits == 1000 - static_cast<int>(server::GuessBrake::free_per_minute));
}

TEST_CASE("however many addresses ask, the busiest stay known and nobody is shut out") {
  test::VirtualClock clock;
  RequestRates rates(clock);
  const auto ask = [&](const asio::ip::address& client) { return rates.count(client, 3).refused; };
  const auto busy = asio::ip::make_address("192.0.2.1");
  for (int i = 0; i < 3; ++i) CHECK_FALSE(ask(busy));
  CHECK(ask(busy));
  int refused = 0;
  for (unsigned i = 0; i < 5 * RequestRates::max_clients; ++i) {
    refused += ask(asio::ip::address_v4(0x0a000000U + i)) ? 1 : 0;
  }
  CHECK(refused == 0);
  CHECK(ask(busy));
  CHECK(rates.clients() <= RequestRates::max_clients);
  // Also if others at their limit fill the table.
  for (unsigned i = 0; i < 2 * RequestRates::max_clients; ++i) {
    const asio::ip::address_v4 other(0x0b000000U + i);
    for (int j = 0; j < 3; ++j) refused += ask(other) ? 1 : 0;
  }
  CHECK(refused == 0);
  CHECK(rates.clients() <= RequestRates::max_clients);
}

TEST_CASE("instances tell each other of addresses near their limit") {
  test::VirtualClock clock;
  RequestRates here(clock);
  RequestRates there(clock);
  const auto client = asio::ip::make_address("2001:db8::");
  for (int i = 0; i < 2; ++i) here.count(client, 16);
  const auto news = here.take_news(600, 16);
  REQUIRE(news.size() == 1);
  CHECK(news.front().requests == 2);
  CHECK(here.take_news(600, 16).empty());
  there.add(news.front());
  CHECK(there.count(client, 16).remaining == 13);
  here.count(client, 16);
  CHECK(here.take_news(600, 0).empty());
}
