#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>

#include "net/http_stream.hpp"
#include "network.hpp"
#include "support/run.hpp"

using namespace molecule;
using namespace std::chrono_literals;
using net::HttpErrc;
using net::HttpStream;
using test::Network;
using test::Peer;

namespace {

constexpr std::string_view head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

struct Outcome {
  int status = 0;
  std::string type;
  std::string text;
  std::size_t pieces = 0;
  std::optional<net::HttpError> error;
};

/// Opens and reads to the end, or for as many bytes as wanted.
awaitable<void> read_all(net::HttpClient& client, std::string url, std::size_t wanted,
                         Outcome& outcome, std::chrono::milliseconds patience = 5s) {
  HttpStream stream(client);
  net::HttpRequest request;
  request.url = std::move(url);
  request.total_timeout = patience;
  auto opened = co_await stream.open(std::move(request));
  if (!opened) {
    outcome.error = opened.error();
    co_return;
  }
  outcome.status = opened->status;
  outcome.type = opened->header("Content-Type").value_or("");
  if (outcome.status != 200) {
    outcome.text = opened->body;
    co_return;
  }
  while (outcome.text.size() < wanted) {
    auto piece = co_await stream.read(patience);
    if (!piece) {
      outcome.error = piece.error();
      co_return;
    }
    if (piece->empty()) co_return;
    outcome.text += *piece;
    ++outcome.pieces;
  }
}

void run(Network& network, awaitable<void> task) {
  test::run(network.loop, std::move(task));
}

std::string chunk(std::string_view text) {
  return fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

awaitable<void> say_three_things(Peer& peer) {
  auto asked = co_await peer.receive();
  if (!asked) co_return;
  co_await peer.say(std::string(head) + chunk("one,"));
  co_await peer.say(chunk("two,"));
  co_await peer.trickle(chunk("three") + "0\r\n\r\n");
  co_await peer.until_closed();
}

}  // namespace

TEST_CASE("stream: pieces are read while the response goes on") {
  Network network;
  auto& server = network.serve(say_three_things);
  Outcome outcome;
  run(network, read_all(network.client, server.url(), 9, outcome));
  CHECK(outcome.status == 200);
  CHECK(outcome.type == "text/event-stream");
  CHECK(outcome.text.starts_with("one,two,"));
  CHECK_FALSE(outcome.error);
}

TEST_CASE("stream: its end is an error") {
  Network network;
  auto& server = network.serve(say_three_things);
  Outcome outcome;
  run(network, read_all(network.client, server.url(), 1000, outcome));
  CHECK(outcome.text == "one,two,three");
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == HttpErrc::connection_lost);
}

TEST_CASE("stream: what is not a 2xx comes whole") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    if (asked) co_await peer.say("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
  });
  Outcome outcome;
  run(network, read_all(network.client, server.url(), 1, outcome));
  CHECK(outcome.status == 404);
  CHECK(outcome.text == "none");
}

TEST_CASE("stream: a server that does not begin to answer, or falls silent") {
  Network network;
  auto& mute = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    if (asked) co_await peer.until_closed();
  });
  Outcome outcome;
  run(network, read_all(network.client, mute.url(), 1, outcome, 50ms));
  REQUIRE(outcome.error);
  CHECK(outcome.error->code == HttpErrc::timeout);
  auto& silent = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    co_await peer.say(std::string(head));
    if (asked) co_await peer.until_closed();
  });
  Outcome other;
  run(network, read_all(network.client, silent.url(), 1, other, 50ms));
  CHECK(other.status == 200);
  CHECK(other.text.empty());
  CHECK_FALSE(other.error);
}

TEST_CASE("stream: a reader that falls behind holds little, and loses nothing") {
  constexpr std::size_t total = std::size_t{4} << 20;
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    if (!asked) co_return;
    co_await peer.say(std::string(head));
    for (std::size_t sent = 0; sent < total; sent += 65536) {
      co_await peer.say(chunk(std::string(65536, 'x')));
    }
    co_await peer.until_closed();
  });
  Outcome outcome;
  std::size_t longest = 0;
  const auto read_slowly = [](net::HttpClient& client, std::string url, std::size_t& max,
                              Outcome& result) -> awaitable<void> {
    HttpStream stream(client);
    net::HttpRequest request;
    request.url = std::move(url);
    auto opened = co_await stream.open(std::move(request));
    if (!opened) co_return;
    SystemClock clock;
    while (result.text.size() < total) {
      co_await sleep_for(clock, 1ms);
      auto piece = co_await stream.read(5s);
      if (!piece || piece->empty()) co_return;
      max = std::max(max, piece->size());
      result.text += *piece;
    }
  };
  run(network, read_slowly(network.client, server.url(), longest, outcome));
  CHECK(outcome.text.size() == total);
  CHECK(longest <= 128 << 10);
}

TEST_CASE("stream: cancelling the reader closes the connection") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    if (!asked) co_return;
    co_await peer.say(std::string(head) + chunk("one"));
    peer.mark();
    co_await peer.until_closed();
  });
  Outcome outcome;
  const auto id =
      network.tasks.spawn("read", read_all(network.client, server.url(), 1000, outcome));
  network.wait(server, server.marks(), 1);
  network.tasks.cancel(id);
  network.wait(server, server.closed(), 1);
  CHECK_FALSE(outcome.error);
}

TEST_CASE("stream: open ones take no place from the kept connections") {
  Network network;
  auto& streams = network.serve([](Peer& peer) -> awaitable<void> {
    auto asked = co_await peer.receive();
    if (!asked) co_return;
    co_await peer.say(std::string(head) + chunk("one"));
    peer.mark();
    co_await peer.until_closed();
  });
  std::vector<Outcome> outcomes(40);
  for (Outcome& outcome : outcomes) {
    network.tasks.spawn("read", read_all(network.client, streams.url(), 1000, outcome));
  }
  network.wait(streams, streams.marks(), 40);
  auto& plain = network.serve([](Peer& peer) -> awaitable<void> {
    while (true) {
      auto asked = co_await peer.receive();
      if (!asked) co_return;
      co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    }
  });
  for (int i = 0; i < 3; ++i) CHECK(network.get(plain.url()).ok());
  CHECK(plain.connections() == 1);
}
