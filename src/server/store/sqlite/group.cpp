#include "server/store/sqlite/group.hpp"

#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"
#include "server/store/sqlite/session.hpp"

namespace molecule::server::store {

namespace {

using molecule::sqlite::Error;

/// Bounds how long the first member waits.
constexpr int max_members = 100;
constexpr std::chrono::milliseconds max_gathering{10};
/// How long a commit waits for the next of those that the last one released, beside how long that
/// one took.
constexpr int gathering_share = 4;
constexpr std::chrono::milliseconds longest_wait_for_next{2};
constexpr std::chrono::milliseconds retry_interval{10};
/// For statements outside of a group, and where a rollback journal replaces the log.
constexpr std::chrono::milliseconds other_wait{100};

/// Is counted for as long as it lives.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  int& count_;
};

}  // namespace

SqliteGroup::SqliteGroup(molecule::sqlite::Database& database, SqliteReaders* readers,
                         StoreMetrics& metrics)
    : database_(database),
      readers_(readers),
      metrics_(metrics),
      commit_statement_(database.prepare("COMMIT")) {
  database_.observe_syncs([syncs = syncs_](auto time) { syncs->push_back(time); });
}

template <class Work>
SqliteGroup::Outcome SqliteGroup::run(Work& work) {
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  try {
    work();
  } catch (const std::exception& error) {
    outcome.error = StoreError(StoreError::Kind::unavailable, error.what());
  }
  outcome.took = std::chrono::steady_clock::now() - start;
  return outcome;
}

template <class Work, class Done>
void SqliteGroup::run_in_thread(Work work, Done done) {
  busy_ = true;
  busy_since_ = clock_.now();
  asio::post(thread_, [this, work = std::move(work), done = std::move(done),
                       loop = asio::make_work_guard(*executor_)]() mutable {
    const Outcome outcome = run(work);
    const asio::any_io_executor executor = loop.get_executor();
    asio::post(executor, [this, outcome, done = std::move(done), loop = std::move(loop)] {
      busy_ = false;
      take_syncs();
      done(outcome);
      free_.notify_all();
    });
  });
}

void SqliteGroup::take_syncs() {
  for (const auto time : std::exchange(*syncs_, {})) metrics_.sync_seconds.add(time);
}

bool SqliteGroup::open() {
  if (database_.in_transaction()) return true;
  if (commit_) {
    // SQLite has rolled the group back by itself, as it does when the disk is full.
    finish(commit_);
    return false;
  }
  // A wait in SQLite would hold up the loop: the caller waits by a timer instead.
  database_.wait_for_locks(std::chrono::milliseconds(0));
  bool opened = true;
  try {
    database_.prepare("BEGIN IMMEDIATE").run();
  } catch (const Error& error) {
    opened = false;
    if (!error.busy()) {
      database_.wait_for_locks(other_wait);
      throw store_error(error);
    }
  }
  database_.wait_for_locks(other_wait);
  return opened;
}

bool SqliteGroup::silent() const {
  return busy_ && clock_.now() - busy_since_ > patience;
}

awaitable<void> SqliteGroup::enter() {
  executor_ = co_await asio::this_coro::executor;
  const auto give_up = clock_.now() + patience;
  while (busy_ || !open()) {
    if (clock_.now() >= give_up) {
      throw StoreError(StoreError::Kind::unavailable,
                       busy_ ? "the disk does not answer" : "another process holds the database");
    }
    const Counted counted(waiting_);
    const auto until = busy_ ? give_up : clock_.now() + retry_interval;
    [[maybe_unused]] const bool woken = co_await free_.wait_until(until);
  }
  if (inside_) throw std::logic_error("a request waits within its transaction");
  try {
    database_.prepare("SAVEPOINT member").run();
  } catch (const Error& error) {
    throw store_error(error);
  }
  inside_ = true;
}

awaitable<void> SqliteGroup::keep() {
  inside_ = false;
  try {
    database_.prepare("RELEASE member").run();
  } catch (const Error& error) {
    throw store_error(error);
  }
  if (!commit_) {
    commit_ = std::make_shared<Commit>(*executor_);
    asio::post(*executor_, [this, commit = commit_] { finish_or_wait(commit, 1); });
  }
  Commits commit = commit_;
  ++commit->members;
  last_came_ = clock_.now();
  if (commit->members >= max_members || readers_ == nullptr) finish(commit);
  if (commit->members == expected_) commit->gather_timer.cancel();
  co_await wait(std::move(commit));
}

void SqliteGroup::drop() noexcept {
  inside_ = false;
  try {
    database_.prepare("ROLLBACK TO member").run();
    database_.prepare("RELEASE member").run();
  } catch (const Error&) {
    // SQLite has already rolled everything back, as it does by itself on some errors.
  }
  if (!commit_) abandon();
}

void SqliteGroup::abandon() noexcept {
  try {
    if (database_.in_transaction()) database_.prepare("ROLLBACK").run();
  } catch (const Error& error) {
    log::warning("{}", error.what());
  }
}

void SqliteGroup::finish_or_wait(const Commits& commit, int members) {
  if (commit != commit_) return;
  const auto now = clock_.now();
  if (now >= commit->opened + max_gathering) return finish(commit);
  if (commit->members > members) {
    // More came in this turn of the loop, so more may be ready in the next one.
    asio::post(*executor_,
               [this, commit, seen = commit->members] { finish_or_wait(commit, seen); });
  } else if (commit->members < expected_ && now < last_came_ + patience_for_next_) {
    commit->gather_timer.expires_at(last_came_ + patience_for_next_);
    commit->gather_timer.async_wait([this, commit](const asio::error_code&) {
      if (commit == commit_) finish_or_wait(commit, commit->members);
    });
  } else {
    finish(commit);
  }
}

void SqliteGroup::finish(Commits commit) {
  commit_.reset();
  auto work = [this] { commit_now(); };
  if (readers_ != nullptr) {
    run_in_thread(work, [this, commit = std::move(commit)](const Outcome& outcome) {
      finished(commit, outcome);
    });
  } else {
    finished(commit, run(work));
    take_syncs();
  }
}

void SqliteGroup::commit_now() {
  commit_statement_.run();
  // Nobody will find what was written to a file that is gone.
  if (database_.replaced()) throw Error(0, "the database was replaced");
}

void SqliteGroup::finished(const Commits& commit, const Outcome& outcome) {
  commit->error = outcome.error;
  if (outcome.error) {
    commit_statement_.reset();
    abandon();
    ++metrics_.failed_commits;
  }
  metrics_.commit_seconds.add(outcome.took);
  metrics_.group_sizes.add(commit->members);
  if (readers_ != nullptr) readers_->refresh();
  commit->done = true;
  commit->done_timer.cancel();
  // One that was alone waits for nobody.
  expected_ = commit->members + waiting_ > 1 ? commit->members + waiting_ : 0;
  last_came_ = clock_.now();
  patience_for_next_ =
      std::min<Clock::duration>(outcome.took / gathering_share, longest_wait_for_next);
  if (database_.log_pages() >= next_checkpoint_) checkpoint();
}

bool SqliteGroup::may_lend() const {
  return !busy_ && !commit_ && executor_ && !database_.in_transaction();
}

void SqliteGroup::checkpoint() {
  // A group that is open holds the log; its commit sees to the log again.
  if (!may_lend() || database_.log_pages() == 0) return;
  run_in_thread([this] { database_.checkpoint(); },
                [this, pages = database_.log_pages()](const Outcome& outcome) {
                  checkpointed(outcome, pages);
                });
}

void SqliteGroup::checkpointed(const Outcome& outcome, int pages_before) {
  if (outcome.error) log::warning("{}", outcome.error->what());
  metrics_.checkpoint_seconds.add(outcome.took);
  // While another process reads an old state the log only grows: then not with every commit.
  const bool done = !outcome.error && database_.log_pages() == 0;
  next_checkpoint_ = done ? max_log_pages : pages_before + max_log_pages / 4;
}

void SqliteGroup::shrink_log() {
  if (!may_lend()) return;
  run_in_thread([this] { database_.shrink_log(); }, [](const Outcome&) {});
}

awaitable<void> SqliteGroup::wait(Commits commit) {
  while (!commit->done) {
    [[maybe_unused]] auto [woken] = co_await commit->done_timer.async_wait(as_tuple);
  }
  if (commit->error) throw StoreError(*commit->error);
}

}  // namespace molecule::server::store
