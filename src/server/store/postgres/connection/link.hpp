#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/async/asio.hpp"
#include "server/store/postgres/connection/job.hpp"
#include "server/store/postgres/connection/libpq_api.hpp"

namespace molecule::server::store::postgres {

/// One connection in pipeline mode. Jobs run in the order in which they are submitted, each to its
/// end whether or not anybody still waits for it. While there are none, nothing of it waits in the
/// loop.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(const asio::any_io_executor& executor, ConnectionPtr connection);
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link();

  /// Never throws: a lost connection is the job's error.
  void submit(std::shared_ptr<Job> job);
  /// A consumer has taken rows of a streamed job.
  void resume() { consumer_.cancel(); }
  std::size_t load() const { return jobs_.size(); }
  const asio::any_io_executor& executor() const { return executor_; }

  /// False if the connection is lost, as far as can be told without asking the server.
  bool alive();
  /// Called once, when the connection is lost.
  std::function<void()> on_lost;
  /// Ends the connection; jobs that are not done get no answer any more.
  void close();

 private:
  /// A result that the server owes: of a statement that is run or prepared.
  struct Expected {
    bool prepares = false;
    std::string name;
    /// Of the job's statements.
    std::size_t statement = 0;
  };
  struct Running {
    std::shared_ptr<Job> job;
    std::deque<Expected> expected;
    /// The next result is the first one of `expected.front()`.
    bool fresh = true;
  };

  bool send(Running& running);
  bool send_statement(Running& running, std::size_t index);
  std::string prepared_name(const Statement& statement, bool& known);
  static awaitable<void> pump(std::shared_ptr<Link> self);
  /// Takes the results that have arrived. False if the front job's consumer has to take rows first.
  bool advance();
  void take(Running& running, ResultPtr result);
  void finish_front();
  void lose(const std::string& reason);
  void watch_progress();

  asio::any_io_executor executor_;
  ConnectionPtr connection_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer deadline_;
  asio::steady_timer consumer_;
  std::deque<Running> jobs_;
  /// Names of the prepared statements, by text and types of the values.
  std::map<std::string, std::string, std::less<>> prepared_;
  std::uint64_t last_name_ = 0;
  std::uint64_t progress_ = 0;
  bool pumping_ = false;
  bool watching_ = false;
  bool lost_ = false;
};

}  // namespace molecule::server::store::postgres
