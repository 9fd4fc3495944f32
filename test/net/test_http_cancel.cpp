// Cancellation at every point at which a request can wait.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "net/network.hpp"
#include "net/resolver.hpp"
#include "support/run.hpp"
#include "support/stall_detector.hpp"

using namespace molecule;
using test::Network;
using test::Peer;
using namespace std::chrono_literals;

namespace {

struct Outcome {
  bool answered = false;
  bool cancelled = false;
};

awaitable<void> ask(net::HttpClient& client, net::HttpRequest request, Outcome& outcome) {
  try {
    [[maybe_unused]] const auto answer = co_await client.send(std::move(request));
    outcome.answered = true;
  } catch (const std::system_error& error) {
    outcome.cancelled = error.code() == asio::error::operation_aborted;
    throw;
  }
}

TaskGroup::Id start(Network& network, std::string url, Outcome& outcome) {
  net::HttpRequest request;
  request.url = std::move(url);
  return network.tasks.spawn("ask", ask(network.client, std::move(request), outcome));
}

/// Cancels the task and runs the loop until it has ended.
void cancel(Network& network, TaskGroup::Id id, const Outcome& outcome) {
  network.tasks.cancel(id);
  while (!outcome.answered && !outcome.cancelled &&
         network.loop.run_one_for(std::chrono::seconds(5)) != 0) {
  }
  CHECK(outcome.cancelled);
}

awaitable<void> no_answer(Peer& peer) {
  co_await peer.receive();
  peer.mark();
  co_await peer.until_closed();
}

awaitable<void> half_a_head(Peer& peer) {
  co_await peer.receive();
  co_await peer.say("HTTP/1.1 200 OK\r\nContent-Le");
  peer.mark();
  co_await peer.until_closed();
}

awaitable<void> half_a_body(Peer& peer) {
  co_await peer.receive();
  co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  peer.mark();
  co_await peer.until_closed();
}

}  // namespace

TEST_CASE("cancelling a waiting request closes the connection at once") {
  Network network;
  Outcome outcome;
  test::ScriptedServer::Script script = nullptr;
  SUBCASE("for the response") {
    script = no_answer;
  }
  SUBCASE("within the head") {
    script = half_a_head;
  }
  SUBCASE("within the body") {
    script = half_a_body;
  }
  auto& server = network.serve(script);
  const auto id = start(network, server.url(), outcome);
  network.wait(server, server.marks(), 1);
  network.loop.poll();
  cancel(network, id, outcome);
  network.wait(server, server.closed(), 1);
}

TEST_CASE("a request can be cancelled during the TLS handshake") {
  Network network;
  Outcome outcome;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> { co_await peer.until_closed(); });
  const auto id = start(network, fmt::format("https://127.0.0.1:{}/", server.port()), outcome);
  network.wait(server, server.connections(), 1);
  cancel(network, id, outcome);
  network.wait(server, server.closed(), 1);
}

TEST_CASE("a request can be cancelled while it is being sent") {
  Network network;
  Outcome outcome;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    // Reads nothing until the client has closed the connection.
    peer.mark();
    co_await peer.all_marked(2);
    co_await peer.until_closed();
  });
  net::HttpRequest request;
  request.url = server.url();
  request.method = "POST";
  request.body = std::string(64 << 20, 'x');
  const auto id = network.tasks.spawn("ask", ask(network.client, std::move(request), outcome));
  network.wait(server, server.marks(), 1);
  cancel(network, id, outcome);
  server.mark();
  network.wait(server, server.closed(), 1);
}

TEST_CASE("cancelling during a name lookup does not block the loop") {
  Network network;
  Outcome outcome;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  test::stall_resolver();
  const test::StallDetector stalls(network.loop);
  const auto id = start(network, "http://stalled.test/", outcome);
  while (test::stalled_lookups() == 0) network.loop.run_one_for(10ms);
  // Other requests are served meanwhile.
  CHECK(network.get(server.url()));
  cancel(network, id, outcome);
  CHECK(stalls.longest() < 1s);
  test::release_resolver();
}

TEST_CASE("a request cancelled before it starts sends nothing") {
  struct Late {
    static awaitable<void> send(Network& network, std::string url, Outcome& outcome) {
      co_await asio::this_coro::throw_if_cancelled(false);
      const asio::any_io_executor executor = co_await asio::this_coro::executor;
      asio::steady_timer never(executor, asio::steady_timer::time_point::max());
      [[maybe_unused]] auto [error] = co_await never.async_wait(as_tuple);
      net::HttpRequest request;
      request.url = std::move(url);
      co_await ask(network.client, std::move(request), outcome);
    }
  };
  Network network;
  Outcome outcome;
  auto& server = network.serve(no_answer);
  const auto id = network.tasks.spawn("late", Late::send(network, server.url(), outcome));
  network.loop.poll();
  cancel(network, id, outcome);
  network.loop.poll();
  CHECK(server.connections() == 0);
}

TEST_CASE("after a cancellation at any turn of the loop, the next request works") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    while (true) {
      const bool more = co_await peer.receive();
      if (!more) co_return;
      co_await peer.trickle(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
    }
  });
  bool answered = false;
  for (int turns = 0; !answered; ++turns) {
    CAPTURE(turns);
    REQUIRE(turns < 10'000);
    Outcome outcome;
    const auto id = start(network, server.url(), outcome);
    for (int i = 0; i < turns && !outcome.answered; ++i) network.loop.run_one_for(1s);
    answered = outcome.answered;
    if (!answered) cancel(network, id, outcome);
    if (turns % 10 != 0) continue;
    const auto next = network.get(server.url());
    REQUIRE(next);
    CHECK(next->body == "ok");
  }
}

TEST_CASE("the loop may end while a request is running") {
  Outcome outcome;
  SystemClock clock;
  asio::io_context loop;
  TaskGroup tasks(loop.get_executor(), clock, [](std::string_view, std::exception_ptr error) {
    std::rethrow_exception(error);
  });
  net::HttpClient client(loop.get_executor());
  test::ScriptedServer server(loop, no_answer);
  net::HttpRequest request;
  request.url = server.url();
  tasks.spawn("ask", ask(client, std::move(request), outcome));
  test::run(loop, server.reached(server.marks(), 1));
  CHECK_FALSE(outcome.answered);
}
