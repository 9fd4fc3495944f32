#pragma once

#include <asio/thread_pool.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/sqlite/sqlite.hpp"
#include "server/metrics/store_metrics.hpp"
#include "server/store/sqlite/readers.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store {

/// The transaction that all requests of one turn of the loop share: a savepoint each, one durable
/// commit for all. A lone request does not wait for others: the commit comes when whatever else is
/// ready has had its turn.
///
/// A thread of the group's own waits for the disk: it has the connection for as long as a commit or
/// a step of the log into the database takes, and members wait meanwhile. All else runs in the
/// loop. Where a rollback journal replaces the log, readers would be in the way of a commit, so
/// each member commits by itself, in the loop.
class SqliteGroup {
 public:
  /// All must outlive this. Without `readers` each member commits by itself. Counts in `metrics`.
  /// Throws `std::system_error` if there can be no thread.
  SqliteGroup(molecule::sqlite::Database& database, SqliteReaders* readers, StoreMetrics& metrics);

  /// Begins a member's part. Waits, without holding up the loop, for a commit under way and for
  /// another process that holds the database, at most `patience`: then it throws `StoreError`.
  /// Until `keep` or `drop` the member must not wait for anything but the store.
  awaitable<void> enter();
  /// Keeps the member's part. Returns when it is durable; throws `StoreError` if the commit fails,
  /// for every member of the group.
  awaitable<void> keep();
  /// Undoes the member's part.
  void drop() noexcept;

  /// Begins to move the log into the database, if there is one and no group is open or under way.
  /// Each commit sees to it that the log stays short; this is for idle times.
  void checkpoint();
  /// The same for a log whose file has grown beyond its limit.
  void shrink_log();
  /// Waits for the thread's work. What it reports to the loop afterwards must not run any more.
  void stop() { thread_.join(); }
  /// True while the disk has not answered for longer than members wait.
  bool silent() const;

  static constexpr std::chrono::seconds patience{5};

 private:
  struct Commit {
    explicit Commit(const asio::any_io_executor& executor)
        : done_timer(executor, asio::steady_timer::time_point::max()), gather_timer(executor) {}
    asio::steady_timer done_timer;
    asio::steady_timer gather_timer;
    std::chrono::steady_clock::time_point opened = std::chrono::steady_clock::now();
    int members = 0;
    bool done = false;
    std::optional<StoreError> error;
  };
  using Commits = std::shared_ptr<Commit>;
  /// What the thread did.
  struct Outcome {
    std::chrono::steady_clock::duration took{};
    std::optional<StoreError> error;
  };

  /// True if the thread may have the connection.
  bool may_lend() const;
  /// Returns false if another process holds the database, or SQLite gave up the group by itself.
  bool open();
  /// Commits, unless the group may grow: beyond `members` in this turn, or by those that the last
  /// commit has just released.
  void finish_or_wait(const Commits& commit, int members);
  void finish(Commits commit);
  void finished(const Commits& commit, const Outcome& outcome);
  void checkpointed(const Outcome& outcome, int pages_before);
  void abandon() noexcept;
  void take_syncs();
  /// Runs `work` in the thread, which may throw SQLite's errors, then `done(Outcome)` in the loop.
  template <class Work, class Done>
  void run_in_thread(Work work, Done done);
  template <class Work>
  static Outcome run(Work& work);
  void commit_now();
  static awaitable<void> wait(Commits commit);

  molecule::sqlite::Database& database_;
  SqliteReaders* readers_;
  StoreMetrics& metrics_;
  SystemClock clock_;
  /// The thread has the connection.
  bool busy_ = false;
  Clock::time_point busy_since_;
  /// Told when it has not any more.
  Event free_{clock_};
  int waiting_ = 0;
  bool inside_ = false;
  std::optional<asio::any_io_executor> executor_;
  /// Kept, because the cache of statements is the loop's.
  molecule::sqlite::Statement commit_statement_;
  /// The group whose members wait for others to come; null if there is none.
  Commits commit_;
  /// Those who were released by the last commit, and who waited for its end. They are likely to be
  /// back at once, so the next commit waits for them for a moment.
  int expected_ = 0;
  /// When the last of them came, or could have begun to, and how long the next one may take.
  Clock::time_point last_came_;
  Clock::duration patience_for_next_{};
  /// Of the work under way. The connection, which outlives this, adds to them until it closes.
  std::shared_ptr<std::vector<Clock::duration>> syncs_ =
      std::make_shared<std::vector<Clock::duration>>();
  /// The log is moved into the database once it has so many pages. More of them would make the wait
  /// for the disk longer, fewer would make it more frequent.
  static constexpr int max_log_pages = 1000;
  int next_checkpoint_ = max_log_pages;
  /// Its destructor waits for the work under way, which uses all the others.
  asio::thread_pool thread_{1};
};

}  // namespace molecule::server::store
