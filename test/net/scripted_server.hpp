#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "net/http_client.hpp"

namespace molecule::test {

class ScriptedServer;

/// The server's end of one connection, driven by a script.
class Peer {
 public:
  Peer(asio::ip::tcp::socket socket, ScriptedServer& server)
      : socket_(std::move(socket)), server_(server) {}

  /// Reads one request with its body and adds it to the server's list. False at the end of input.
  awaitable<bool> receive();
  awaitable<void> say(std::string bytes);
  /// Sends one byte at a time, so that the client sees every split.
  awaitable<void> trickle(std::string bytes);
  /// Waits until the client closes the connection, and counts it.
  awaitable<void> until_closed();
  /// Closes the connection with a reset.
  void reset();
  /// Responds with the path of the last request.
  awaitable<void> echo_path();
  /// Waits until the server has counted `count` marks.
  awaitable<void> all_marked(int count);
  const std::string& last_request() const { return last_; }
  /// Counts a step for a test that waits in `ScriptedServer::reached`.
  void mark();

 private:
  asio::ip::tcp::socket socket_;
  ScriptedServer& server_;
  std::string buffer_;
  std::string last_;
};

/// A TCP server on a free loopback port. Runs one script for every connection and records what it
/// receives. The connection closes when its script ends.
class ScriptedServer {
 public:
  using Script = awaitable<void> (*)(Peer& peer);

  ScriptedServer(asio::io_context& loop, Clock& clock, TaskGroup& tasks, Script script,
                 std::string address = "127.0.0.1");

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::string url(std::string_view path = "/") const;

  std::vector<std::string> requests;  ///< heads and bodies, in order of arrival
  int connections = 0;
  int closed = 0;
  int marks = 0;
  /// Counts a step from outside the script.
  void mark();
  /// Waits until `counter`, one of the above, is at least `value`.
  awaitable<void> reached(const int& counter, int value);

 private:
  friend class Peer;
  awaitable<void> accept();
  awaitable<void> serve(asio::ip::tcp::socket socket);

  asio::ip::tcp::acceptor acceptor_;
  TaskGroup& tasks_;
  Script script_;
  Event changed_;
};

/// The fixture for client tests. Ends all tasks on destruction.
struct Network {
  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  ScriptedServer& serve(ScriptedServer::Script script, std::string address = "127.0.0.1");
  Result<net::HttpResponse, net::HttpError> send(net::HttpRequest request);
  Result<net::HttpResponse, net::HttpError> get(std::string url);
  /// Runs the loop until `counter` of `server` is at least `value`.
  void wait(ScriptedServer& server, const int& counter, int value);

  asio::io_context loop{1};
  SystemClock clock;
  TaskGroup tasks;
  std::vector<std::unique_ptr<ScriptedServer>> servers;
  net::HttpClient client;
};

}  // namespace molecule::test
