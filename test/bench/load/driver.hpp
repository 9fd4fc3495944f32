#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "bench/load/agents.hpp"
#include "bench/load/connection.hpp"
#include "bench/load/latencies.hpp"

namespace molecule::bench {

/// Drives any number of connections from one thread, by epoll.
class Driver {
 public:
  using Answered = std::function<void(std::size_t connection)>;

  explicit Driver(std::uint16_t port);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  std::size_t open();
  Connection& connection(std::size_t index) { return *connections_.at(index); }
  /// Waits for at most `milliseconds`, and calls `answered` for each complete answer.
  void turn(int milliseconds, const Answered& answered);

 private:
  std::uint16_t port_;
  int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

/// How one kind of work went.
struct Outcome {
  Latencies latencies;
  std::uint64_t failures = 0;
  int failed_status = 0;

  void count(int status, std::int64_t nanoseconds);
};

/// One result a kind of work, in the order of `Work`.
using Outcomes = std::array<Outcome, 4>;

struct Load {
  std::uint16_t port = 0;
  std::vector<Agent> agents;
  double seconds = 1;
};

/// Each of `connections` asks again as soon as it is answered; `pattern` is what they ask for, in
/// turn.
Outcomes run_closed(const Load& load, std::size_t connections, const std::vector<Work>& pattern);

/// Requests at a fixed rate whatever the server does, on one kept connection an agent: a request's
/// time counts from when it was due.
struct Rates {
  double polls = 0;
  double heartbeats = 0;
  double messages = 0;
};
Outcomes run_offered(const Load& load, const Rates& rates, std::size_t connections,
                     std::size_t streams, const std::function<void()>& connected);

/// Creates `count` workspaces.
std::vector<Agent> create_agents(std::uint16_t port, std::size_t count,
                                 std::string_view admin_token);

/// Lets each agent know its newest message, as after a poll.
void fetch_cursors(std::uint16_t port, std::vector<Agent>& agents);

/// Nanoseconds of a clock that only goes forward.
std::int64_t now();

}  // namespace molecule::bench
