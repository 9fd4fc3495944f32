// Requests as sent, and responses as received.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "net/network.hpp"
#include "support/run.hpp"
#include "support/temporary_folder.hpp"

using namespace molecule;
using test::Network;
using test::Peer;

namespace {

constexpr const char* hello_answer =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Test: one\r\n\r\nhello";

awaitable<void> hello(Peer& peer) {
  while (true) {
    const bool more = co_await peer.receive();
    if (!more) co_return;
    co_await peer.say(hello_answer);
  }
}

net::HttpRequest request_to(std::string url, std::string method = "GET", std::string body = "") {
  net::HttpRequest request;
  request.url = std::move(url);
  request.method = std::move(method);
  request.body = std::move(body);
  return request;
}

}  // namespace

TEST_CASE("a response has its status, header fields and body") {
  Network network;
  auto& server = network.serve(hello);
  const auto answer = network.get(server.url("/some/path?query=1"));
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "hello");
  CHECK(answer->header("x-TEST") == "one");
  CHECK(answer->header("x-none") == std::nullopt);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].text.starts_with("GET /some/path?query=1 HTTP/1.1\r\n"));
}

TEST_CASE("successive requests reuse one connection") {
  Network network;
  auto& server = network.serve(hello);
  for (int i = 0; i < 5; ++i) REQUIRE(network.get(server.url()));
  CHECK(server.connections() == 1);
  CHECK(server.requests().size() == 5);
}

TEST_CASE("methods, header fields and bodies are sent unchanged") {
  Network network;
  auto& server = network.serve(hello);
  auto post = request_to(server.url(), "POST", std::string("{\"a\":\0}", 7));
  post.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  REQUIRE(network.send(post));
  CHECK(server.requests()[0].text.ends_with(std::string("\r\n\r\n{\"a\":\0}", 11)));
  CHECK(server.requests()[0].text.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(server.requests()[0].text.find("X-Empty:\r\n") != std::string::npos);
  CHECK(server.requests()[0].text.find("Content-Length: 7\r\n") != std::string::npos);

  REQUIRE(network.send(request_to(server.url(), "POST")));
  CHECK(server.requests()[1].text.find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(server.requests()[1].text.find("Content-Type") == std::string::npos);

  REQUIRE(network.send(request_to(server.url(), "POST", std::string(2 << 20, 'x'))));
  CHECK(server.requests()[2].text.size() > (2 << 20));
  CHECK(server.requests()[2].text.find("Expect") == std::string::npos);

  for (const char* method : {"DELETE", "PATCH", "PUT"}) {
    REQUIRE(network.send(request_to(server.url(), method, "x")));
    CHECK(server.requests().back().text.starts_with(method));
    CHECK(server.requests().back().text.ends_with("\r\n\r\nx"));
  }
  REQUIRE(network.send(request_to(server.url(), "DELETE")));
  CHECK(server.requests().back().text.starts_with("DELETE / "));
}

TEST_CASE("a HEAD response has a length and no body") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    co_await peer.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    co_await peer.until_closed();
  });
  const auto answer = network.send(request_to(server.url(), "HEAD"));
  REQUIRE(answer);
  CHECK(answer->body.empty());
  CHECK(answer->header("Content-Length") == "1000");
}

TEST_CASE("any split of a response gives the same response") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    while (true) {
      const bool more = co_await peer.receive();
      if (!more) co_return;
      co_await peer.trickle(
          "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
          "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-Test: one\r\n\r\n"
          "5;ext=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: t\r\n\r\n");
    }
  });
  for (int i = 0; i < 3; ++i) {
    const auto answer = network.get(server.url());
    REQUIRE(answer);
    CHECK(answer->status == 201);
    CHECK(answer->body == "hello world");
    CHECK(answer->header("X-Test") == "one");
    CHECK_FALSE(answer->header("X-Early"));
  }
  CHECK(server.connections() == 1);
}

TEST_CASE("responses without a body end at once and keep the connection") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    co_await peer.say("HTTP/1.1 204 No Content\r\n\r\n");
    co_await peer.receive();
    co_await peer.say("HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n");
    co_await peer.receive();
    co_await peer.say(hello_answer);
  });
  CHECK(network.get(server.url())->status == 204);
  CHECK(network.get(server.url())->status == 304);
  CHECK(network.get(server.url())->body == "hello");
  CHECK(server.connections() == 1);
}

TEST_CASE("a body without a length ends with the connection") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    co_await peer.say("HTTP/1.0 200 OK\r\n\r\nall there is");
  });
  CHECK(network.get(server.url())->body == "all there is");
}

TEST_CASE("a redirect is returned, not followed with the token") {
  Network network;
  static std::string elsewhere;
  auto& other = network.serve(hello);
  elsewhere = other.url("/stolen");
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    co_await peer.say("HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\nLocation: " +
                      elsewhere + "\r\n\r\n");
  });
  auto request = request_to(server.url(), "POST", "x");
  request.headers = {{"Authorization", "Bearer secret"}};
  const auto answer = network.send(request);
  REQUIRE(answer);
  CHECK(answer->status == 307);
  CHECK(answer->header("location") == elsewhere);
  CHECK(other.connections() == 0);
}

TEST_CASE("requests run concurrently") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    peer.mark();
    // No request is answered before all have arrived.
    co_await peer.all_marked(200);
    co_await peer.echo_path();
  });
  int answered = 0;
  struct Ask {
    static awaitable<void> one(Network& network, std::string url, std::string path, int& count) {
      net::HttpRequest request;
      request.url = url + path;
      const auto answer = co_await network.client.send(std::move(request));
      if (answer && answer->body == "/" + path) ++count;
    }
  };
  for (int i = 0; i < 200; ++i) {
    network.tasks.spawn("ask", Ask::one(network, server.url("/"), std::to_string(i), answered));
  }
  network.wait(server, server.marks(), 200);
  while (answered < 200 && network.loop.run_one_for(std::chrono::seconds(10)) != 0) {
  }
  CHECK(answered == 200);
  CHECK(server.connections() == 200);
}

TEST_CASE("a request does not wait for another one's response") {
  Network network;
  auto& server = network.serve([](Peer& peer) -> awaitable<void> {
    co_await peer.receive();
    const bool waits = peer.last_request().text.starts_with("GET /wait");
    if (waits) {
      co_await peer.until_closed();
    } else {
      co_await peer.say(hello_answer);
    }
  });
  struct Ask {
    static awaitable<void> waiting(Network& network, std::string url) {
      auto request = request_to(std::move(url));
      [[maybe_unused]] auto answer = co_await network.client.send(std::move(request));
    }
  };
  network.tasks.spawn("waits", Ask::waiting(network, server.url("/wait")));
  auto quick = request_to(server.url("/quick"));
  quick.total_timeout = std::chrono::seconds(5);
  CHECK(network.send(quick));
}

TEST_CASE("an idle client causes no wake-ups") {
  Network network;
  auto& server = network.serve(hello);
  REQUIRE(network.get(server.url()));
  network.loop.poll();
  CHECK(network.loop.run_one_for(std::chrono::milliseconds(1500)) == 0);
}

TEST_CASE("the environment's proxy and no_proxy are honoured") {
  Network network;
  auto& proxy = network.serve(hello);
  auto& server = network.serve(hello);
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  CHECK(network.get("http://platform.test/path")->body == "hello");
  CHECK(proxy.requests().at(0).text.starts_with("GET http://platform.test/path HTTP/1.1\r\n"));
  ::setenv("no_proxy", "127.0.0.1", 1);
  CHECK(network.get(server.url("/direct"))->body == "hello");
  CHECK(server.requests().at(0).text.starts_with("GET /direct "));
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
}

namespace {

int syncs = 0;

}  // namespace

/// Replaces the libc function that `files::sync` calls.
#ifdef MOLECULE_LINUX
extern "C" int fdatasync(int) {
#else
extern "C" int fsync(int) {
#endif
  ++syncs;
  return 0;
}

namespace {

awaitable<void> many_bytes(Peer& peer) {
  const bool asked = co_await peer.receive();
  if (!asked) co_return;
  constexpr std::size_t size = std::size_t{18} << 20;
  std::string answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size);
  answer.append(size, 'x');
  co_await peer.say(std::move(answer));
}

}  // namespace

TEST_CASE("a long body is synced in parts while it arrives") {
  Network network;
  net::HttpRequest request = request_to(network.serve(many_bytes).url());
  request.max_response_bytes = std::size_t{32} << 20;
  request.sink = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  REQUIRE(request.sink >= 0);
  const int sink = request.sink;
  syncs = 0;
  REQUIRE(network.send(std::move(request)));
  ::close(sink);
  CHECK(syncs == 4);
}

TEST_CASE("fault D7: more bytes than the sink may receive end the exchange at once") {
  Network network;
  const test::TemporaryFolder folder;
  net::HttpRequest request = request_to(network.serve(many_bytes).url());
  request.max_sink_bytes = 5;
  const std::filesystem::path path = folder.path() / "file";
  const int sink = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(sink >= 0);
  request.sink = sink;
  const auto answer = network.send(std::move(request));
  ::close(sink);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == net::HttpErrc::too_large);
  CHECK(std::filesystem::file_size(path) <= 5);
}
