#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/event.hpp"

namespace molecule::test {

/// One request as the server received it.
struct Received {
  std::string method;
  /// With the query.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// All of it, byte for byte.
  std::string text;

  /// The first field of that name, or "".
  std::string header(std::string_view name) const;
  std::string path() const { return target.substr(0, target.find('?')); }
};

/// What a server without a script does with a request.
struct Canned {
  enum class Act {
    answer,
    reset,     ///< closes without a byte of answer
    truncate,  ///< sends half of the body, then closes
    hang       ///< never answers
  };
  int status = 200;
  std::string body = "{}";
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  Act act = Act::answer;
  /// The answer waits until this is notified; null: it is sent at once.
  Event* held = nullptr;
};

class Peer;

/// A TCP server on a free port of the loopback and on the test's own loop, which remembers what it
/// was sent. It plays a script to every connection; by default HTTP/1.1 with canned answers per
/// method and path. Destroy it before its loop, or together with it.
class ScriptedServer {
 public:
  /// The end of the script ends the connection. An exception that escapes it fails the test.
  using Script = std::function<awaitable<void>(Peer& peer)>;

  /// Plays the canned answers: those for a call in their order, the last one again and again, and
  /// 404 for calls that have none.
  explicit ScriptedServer(asio::io_context& loop);
  ScriptedServer(asio::io_context& loop, Script script, const std::string& address = "127.0.0.1");
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  std::uint16_t port() const;
  std::string url(std::string_view path = "") const;

  /// Adds one more answer; `call` is method and path without the query: `GET /health`.
  void answer(const std::string& call, Canned canned);
  void answer(const std::string& call, int status, std::string body);
  /// Forgets the answers for that call.
  void forget(const std::string& call);

  const std::vector<Received>& requests() const;
  /// Those for one method and path.
  std::vector<Received> requests(std::string_view call) const;

  const int& connections() const;
  /// Connections whose close by the client a script has seen.
  const int& closed() const;
  /// Steps that scripts, or the test, have counted with `mark`.
  const int& marks() const;
  void mark();
  /// Returns when `counter`, one of these three, is at least `value`.
  awaitable<void> reached(const int& counter, int value);

 private:
  friend class Peer;
  struct State;
  std::shared_ptr<State> state_;
};

/// The server's end of one connection, for a script to play.
class Peer {
 public:
  Peer(asio::ip::tcp::socket socket, std::shared_ptr<ScriptedServer::State> server);

  /// Reads one request with its body and keeps it in the server's list. False at the end.
  awaitable<bool> receive();
  awaitable<void> say(std::string bytes);
  /// One byte at a time, so that the client sees every split.
  awaitable<void> trickle(std::string bytes);
  /// Returns when the client has closed, and counts it.
  awaitable<void> until_closed();
  /// Ends the connection by a reset instead of an orderly end.
  void reset();
  /// Answers with the path that was asked for last.
  awaitable<void> echo_path();
  /// Returns when the server has counted that many steps.
  awaitable<void> all_marked(int count);
  const Received& last_request() const { return last_; }
  /// Counts a step that a test waits for with `ScriptedServer::reached`.
  void mark();

 private:
  friend class ScriptedServer;
  asio::ip::tcp::socket socket_;
  std::shared_ptr<ScriptedServer::State> server_;
  std::string buffer_;
  Received last_;
};

}  // namespace molecule::test
