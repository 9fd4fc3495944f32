#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"
#include "base/json/reader.hpp"
#include "molecule/mcp/session.hpp"

namespace molecule::mcp::test {

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  void reset();
  int get() const { return number_; }

 private:
  int number_;
};

/// Both ends of a pipe or socket pair: what is written to `write` is read from `read`.
struct Channel {
  Descriptor read;
  Descriptor write;
};
Channel make_pipe();
Channel make_socket_pair();

/// State shared between a test and the tools of its server.
struct Bench {
  explicit Bench(Clock& clock) : released(clock) {}
  Event released;
  bool open = false;
  int waiting = 0;
  int cancelled = 0;
  std::chrono::steady_clock::time_point cancelled_at;
  std::optional<std::string> seen_meta;
};

/// A server with the tools `echo`, `wait` (until `Bench::open`), `fail`, `progress` and
/// `structured`.
ServerInfo make_server(Bench& bench);

/// One message from the session, parsed.
struct Answer {
  std::string text;
  json::Document document;
  json::Value operator[](std::string_view key) const { return document.root()[key]; }
  std::optional<std::int64_t> code() const { return (*this)["error"]["code"].integer(); }
};

/// Runs a session in this process and plays the host at the other end of its pipes. Every function
/// runs the loop as long as needed and fails the test after 10 s.
class Host {
 public:
  enum class Kind { pipes, sockets };
  explicit Host(Kind kind = Kind::pipes, Limits limits = {}, Clock* clock = nullptr);
  /// Serves `server` instead of the default one.
  explicit Host(ServerInfo server, Limits limits = {});
  /// Uses these channels. The host's end of the output may be invalid.
  Host(Channel input, Channel output, Limits limits = {}, Clock* clock = nullptr,
       std::optional<ServerInfo> server = std::nullopt);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host();

  /// Writes raw bytes; runs the loop while the pipe is full.
  void send_bytes(std::string_view bytes);
  /// Writes one line.
  void send(std::string_view json);
  /// The session's next line, which must be exactly one JSON value.
  Answer receive();
  Answer ask(std::string_view json);
  /// Negotiates `revision` and sends `notifications/initialized`.
  Answer initialize(std::string_view revision = "2025-11-25");
  /// Checks that the session sends nothing before the answer to a ping.
  void expect_silence();
  /// Runs every handler that is ready.
  void settle();
  /// Runs the loop until `condition` holds.
  template <class Condition>
  void until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition()) step(deadline);
  }
  /// Closes the session's input.
  void close_input() { to_session_.reset(); }
  void close_output() { from_session_.reset(); }
  /// Cancels the session's task.
  void cancel() { tasks_.cancel_all(); }
  /// Returns how the session ended; rethrows what `run` threw.
  SessionEnd wait_end();
  bool ended() const { return end_.has_value() || failure_ != nullptr; }
  /// The output that the test has not received.
  std::string rest();

  asio::io_context loop{1};
  SystemClock system_clock;
  Clock& clock;
  Bench bench;

 private:
  awaitable<void> run_session();
  void step(std::chrono::steady_clock::time_point deadline);
  /// Returns false if there is nothing to read at the moment.
  bool read_some();

  Channel input_;
  Channel output_;
  Descriptor to_session_;
  Descriptor from_session_;

 public:
  Session session;

 private:
  std::optional<SessionEnd> end_;
  std::exception_ptr failure_;
  TaskGroup tasks_;
  std::string received_;
  int pings_ = 0;
};

}  // namespace molecule::mcp::test
