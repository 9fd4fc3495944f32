#include "server/store/sqlite/group.hpp"

#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "server/store/sqlite/session.hpp"

namespace molecule::server::store {

namespace {

/// Bounds how long the first member waits.
constexpr int max_members = 100;
constexpr std::chrono::milliseconds max_gathering{10};
constexpr std::chrono::milliseconds retry_interval{10};
/// For statements outside of a group, and where a rollback journal replaces the log.
constexpr std::chrono::milliseconds other_wait{100};

}  // namespace

bool SqliteGroup::open() {
  if (database_.in_transaction()) return true;
  // SQLite has rolled the group back by itself, as it does when the disk is full.
  if (commit_) finish(commit_);
  // A wait in SQLite would hold up the loop: the caller waits by a timer instead.
  database_.wait_for_locks(std::chrono::milliseconds(0));
  bool opened = true;
  try {
    database_.prepare("BEGIN IMMEDIATE").run();
  } catch (const molecule::sqlite::Error& error) {
    opened = false;
    if (!error.busy()) {
      database_.wait_for_locks(other_wait);
      throw store_error(error);
    }
  }
  database_.wait_for_locks(other_wait);
  return opened;
}

awaitable<void> SqliteGroup::enter() {
  if (inside_) throw std::logic_error("a request waits within its transaction");
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto give_up = std::chrono::steady_clock::now() + patience;
  bool opened = open();
  while (!opened) {
    if (std::chrono::steady_clock::now() >= give_up) {
      throw StoreError(StoreError::Kind::unavailable, "another process holds the database");
    }
    asio::steady_timer timer(executor, retry_interval);
    co_await timer.async_wait(asio::use_awaitable);
    opened = open();
  }
  try {
    database_.prepare("SAVEPOINT member").run();
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
  inside_ = true;
}

awaitable<void> SqliteGroup::keep() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  inside_ = false;
  try {
    database_.prepare("RELEASE member").run();
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
  if (!commit_) {
    commit_ = std::make_shared<Commit>(executor);
    asio::post(executor, [this, commit = commit_] { finish_or_wait(commit, 1); });
  }
  std::shared_ptr<Commit> commit = commit_;
  if (++commit->members >= max_members) finish(commit);
  co_await wait(std::move(commit));
}

void SqliteGroup::drop() noexcept {
  inside_ = false;
  try {
    database_.prepare("ROLLBACK TO member").run();
    database_.prepare("RELEASE member").run();
  } catch (const molecule::sqlite::Error&) {
    // SQLite has already rolled everything back, as it does by itself on some errors.
  }
  if (!commit_) abandon();
}

void SqliteGroup::abandon() noexcept {
  try {
    if (database_.in_transaction()) database_.prepare("ROLLBACK").run();
  } catch (const molecule::sqlite::Error& error) {
    log::warning("{}", error.what());
  }
}

void SqliteGroup::finish_or_wait(const std::shared_ptr<Commit>& commit, int members) {
  if (commit->done) return;
  const bool late = std::chrono::steady_clock::now() >= commit->opened + max_gathering;
  if (commit->members <= members || late) return finish(commit);
  // More came in this turn of the loop, so more may be ready in the next one.
  asio::post(commit->done_timer.get_executor(),
             [this, commit, seen = commit->members] { finish_or_wait(commit, seen); });
}

void SqliteGroup::finish(const std::shared_ptr<Commit>& commit) {
  if (commit->done) return;
  const auto start = std::chrono::steady_clock::now();
  try {
    database_.prepare("COMMIT").run();
    // Nobody will find what was written to a file that is gone.
    if (database_.replaced()) {
      commit->error = StoreError(StoreError::Kind::unavailable, "the database was replaced");
    }
  } catch (const molecule::sqlite::Error& error) {
    commit->error = StoreError(StoreError::Kind::unavailable, error.what());
    abandon();
  }
  metrics_.commit_seconds.add(std::chrono::steady_clock::now() - start);
  metrics_.group_sizes.add(commit->members);
  if (commit->error) ++metrics_.failed_commits;
  commit->done = true;
  commit->done_timer.cancel();
  if (database_.log_pages() >= 2 * next_checkpoint_) {
    checkpoint_if_long();
  } else if (database_.log_pages() >= next_checkpoint_) {
    // After the replies of this group, unless the next one opens before that.
    asio::post(commit->done_timer.get_executor(), [this] { checkpoint_if_long(); });
  }
  commit_.reset();
}

void SqliteGroup::checkpoint_if_long() {
  if (database_.log_pages() < next_checkpoint_) return;
  try {
    checkpoint();
  } catch (const StoreError& error) {
    log::warning("{}", error.what());
  }
}

void SqliteGroup::checkpoint() {
  // A group that is open holds the log; its commit sees to the log again.
  if (database_.in_transaction()) return;
  const int pages = database_.log_pages();
  const auto start = std::chrono::steady_clock::now();
  try {
    database_.checkpoint();
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
  metrics_.checkpoint_seconds.add(std::chrono::steady_clock::now() - start);
  // While another process reads an old state the log only grows: then not with every commit.
  const bool done = database_.log_pages() == 0;
  next_checkpoint_ = done ? max_log_pages : pages + max_log_pages / 4;
}

awaitable<void> SqliteGroup::wait(std::shared_ptr<Commit> commit) {
  while (!commit->done) {
    [[maybe_unused]] auto [woken] = co_await commit->done_timer.async_wait(as_tuple);
  }
  if (commit->error) throw StoreError(*commit->error);
}

awaitable<void> SqliteGroup::settled() {
  std::shared_ptr<Commit> commit = commit_;
  if (commit) co_await wait(std::move(commit));
}

}  // namespace molecule::server::store
