#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "server/metrics/store_metrics.hpp"
#include "server/store/postgres/connection/slot.hpp"

namespace molecule::server::store::postgres {

/// A connection whose transactions are shared: its members take turns, a savepoint each, and one
/// durable commit ends all their parts. A lone member does not wait for others: the commit comes
/// when nobody waits for the next turn.
class Group : public std::enable_shared_from_this<Group> {
 public:
  Group(const Parameters& parameters, StoreMetrics& metrics)
      : slot_(parameters), metrics_(metrics) {}
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  /// Waits for its turn, and begins a member's part. Throws `StoreError`. Until `keep` or `drop`
  /// the member must not wait for anything but the store.
  awaitable<void> enter();
  /// Submits a job of the member's part. Throws `StoreError` if the connection is lost.
  std::shared_ptr<Link> submit(std::shared_ptr<Job> job);
  /// A statement that goes along with the member's next one.
  void precede(Statement statement) { prefix_.push_back(std::move(statement)); }
  /// Keeps the member's part. Returns when it is durable; throws `StoreError` if the commit fails,
  /// for every member.
  awaitable<void> keep();
  /// Undoes the member's part. `conflict`: another transaction was in the way, so this one ends
  /// soon, in case that one waits for it too.
  void drop(bool conflict) noexcept;

  /// Ends the connection. Nothing may be done with the group any more.
  void close() { slot_.close(); }

  /// Members that have or await their turn.
  std::size_t load() const { return waiting_.size() + (taken_ ? 1 : 0) + (committing_ ? 1 : 0); }

 private:
  struct Waiter {
    explicit Waiter(const asio::any_io_executor& executor)
        : timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    bool granted = false;
  };
  struct Commit {
    explicit Commit(const asio::any_io_executor& executor)
        : ended(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ended;
    int members = 0;
    bool done = false;
    std::optional<StoreError> error;
  };
  struct Place;
  struct TurnGuard;

  awaitable<void> take_turn();
  /// Commits, or gives the turn to the next member.
  void pass_turn();
  void grant_next();
  void commit();
  void roll_back();
  void lose(const Link* link);
  static void end(Commit& commit, std::optional<StoreError> error);

  Slot slot_;
  StoreMetrics& metrics_;
  /// The connection of the present transaction.
  std::shared_ptr<Link> link_;
  std::deque<std::shared_ptr<Waiter>> waiting_;
  bool taken_ = false;
  bool committing_ = false;
  /// Whether the present member's transaction still exists.
  bool intact_ = false;
  bool hurried_ = false;
  /// Members that have entered the present transaction.
  int entered_ = 0;
  /// What the present transaction will come to; null if there is none.
  std::shared_ptr<Commit> commit_;
  /// Sent before the next statement, to save round trips.
  std::vector<Statement> prefix_;
};

}  // namespace molecule::server::store::postgres
