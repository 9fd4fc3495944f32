#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/async/asio.hpp"
#include "base/sqlite/sqlite.hpp"
#include "server/metrics/store_metrics.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store {

/// The transaction that all requests of one turn of the loop share: a savepoint each, one durable
/// commit for all. A lone request does not wait for others: the commit comes when whatever else is
/// ready has had its turn.
class SqliteGroup {
 public:
  /// Both must outlive this. Counts in `metrics`.
  SqliteGroup(molecule::sqlite::Database& database, StoreMetrics& metrics)
      : database_(database), metrics_(metrics) {}

  /// Begins a member's part. While another process holds the database this waits, without holding
  /// up the loop, for at most `patience`. Until `keep` or `drop` the member must not wait for
  /// anything but the store.
  awaitable<void> enter();
  /// Keeps the member's part. Returns when it is durable; throws `StoreError` if the commit fails,
  /// for every member of the group.
  awaitable<void> keep();
  /// Undoes the member's part.
  void drop() noexcept;

  /// True while rows can be read that are not yet durable.
  bool unsettled() const { return commit_ != nullptr; }
  /// Returns when they are; throws like `keep`.
  awaitable<void> settled();

  /// Moves the log into the database. Throws `StoreError`. Each commit sees to it that the log
  /// stays short; this is for idle times.
  void checkpoint();

  static constexpr std::chrono::seconds patience{5};

 private:
  struct Commit {
    explicit Commit(const asio::any_io_executor& executor)
        : done_timer(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer done_timer;
    std::chrono::steady_clock::time_point opened = std::chrono::steady_clock::now();
    int members = 0;
    bool done = false;
    std::optional<StoreError> error;
  };
  /// Returns false if another process holds the database.
  bool open();
  /// Commits, unless the group has grown beyond `members` and may grow further.
  void finish_or_wait(const std::shared_ptr<Commit>& commit, int members);
  void finish(const std::shared_ptr<Commit>& commit);
  void abandon() noexcept;
  void checkpoint_if_long();
  static awaitable<void> wait(std::shared_ptr<Commit> commit);

  molecule::sqlite::Database& database_;
  StoreMetrics& metrics_;
  /// The group whose members wait; null if there are none.
  std::shared_ptr<Commit> commit_;
  bool inside_ = false;
  /// The log is moved into the database once it has so many pages. More of them would make the wait
  /// for the disk longer, fewer would make it more frequent.
  static constexpr int max_log_pages = 1000;
  int next_checkpoint_ = max_log_pages;
};

}  // namespace molecule::server::store
