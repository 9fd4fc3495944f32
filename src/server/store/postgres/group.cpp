#include "server/store/postgres/group.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace molecule::server::store::postgres {

namespace {

/// PostgreSQL keeps up to 64 savepoints of a transaction at hand; with more, every other
/// transaction becomes slower.
constexpr int max_members = 50;
constexpr std::chrono::seconds patience{4};

constexpr std::string_view savepoint = "SAVEPOINT member";
constexpr std::string_view release = "RELEASE member";
/// Two groups, of one instance or of two, may wait for rows of each other. So only the first member
/// of a group, when the group has no rows yet, waits as long as it takes; a later one gives up, and
/// its group commits. PostgreSQL itself notices a deadlock only after a second.
constexpr std::string_view short_waits = "SET LOCAL lock_timeout = 20";

StoreError connection_lost() {
  return {StoreError::Kind::unavailable, "PostgreSQL: the connection was lost"};
}

}  // namespace

/// A member in the queue. Ends with its coroutine, in whatever way.
struct Group::Place {
  Place(Group& all, std::shared_ptr<Waiter> mine) : group(all), waiter(std::move(mine)) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    if (accepted) return;
    if (waiter->granted) {
      group.pass_turn();
    } else {
      std::erase(group.waiting_, waiter);
    }
  }
  Group& group;
  std::shared_ptr<Waiter> waiter;
  bool accepted = false;
};

/// Gives the turn back unless the member's part has begun.
struct Group::TurnGuard {
  explicit TurnGuard(Group& all) : group(all) {}
  TurnGuard(const TurnGuard&) = delete;
  TurnGuard& operator=(const TurnGuard&) = delete;
  ~TurnGuard() {
    if (!begun) group.pass_turn();
  }
  Group& group;
  bool begun = false;
};

awaitable<void> Group::take_turn() {
  if (!std::exchange(taken_, true)) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto waiter = std::make_shared<Waiter>(executor);
  waiter->timer.expires_after(patience);
  waiting_.push_back(waiter);
  Place place(*this, waiter);
  [[maybe_unused]] auto [woken] = co_await waiter->timer.async_wait(as_tuple);
  if (!waiter->granted) {
    throw StoreError(StoreError::Kind::unavailable, "PostgreSQL: too many writes are waiting");
  }
  place.accepted = true;
}

awaitable<void> Group::enter() {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  co_await take_turn();
  TurnGuard guard(*this);
  if (!commit_) {
    link_ = co_await slot_.link();
    link_->on_lost = [weak = weak_from_this(), link = link_.get()] {
      if (const auto group = weak.lock()) group->lose(link);
    };
    commit_ = std::make_shared<Commit>(executor);
    entered_ = 0;
    prefix_.clear();
    prefix_.emplace_back("BEGIN");
  } else {
    if (entered_ == 1) prefix_.emplace_back(short_waits);
    prefix_.emplace_back(savepoint);
  }
  ++entered_;
  intact_ = true;
  guard.begun = true;
}

std::shared_ptr<Link> Group::submit(std::shared_ptr<Job> job) {
  if (!intact_) throw connection_lost();
  job->wanted += prefix_.size();
  job->statements.insert(job->statements.begin(), std::make_move_iterator(prefix_.begin()),
                         std::make_move_iterator(prefix_.end()));
  prefix_.clear();
  std::shared_ptr<Link> link = link_;
  link->submit(std::move(job));
  return link;
}

awaitable<void> Group::keep() {
  if (!intact_) {
    pass_turn();
    throw connection_lost();
  }
  if (entered_ > 1) prefix_.emplace_back(release);
  const std::shared_ptr<Commit> commit = commit_;
  ++commit->members;
  pass_turn();
  while (!commit->done) {
    [[maybe_unused]] auto [woken] = co_await commit->ended.async_wait(as_tuple);
  }
  if (commit->error) throw StoreError(*commit->error);
}

void Group::drop(bool conflict) noexcept {
  if (intact_ && entered_ == 1) {
    roll_back();
  } else if (intact_) {
    prefix_.emplace_back("ROLLBACK TO member");
    prefix_.emplace_back(release);
    hurried_ = hurried_ || conflict;
  }
  pass_turn();
}

void Group::roll_back() {
  const bool begun = prefix_.empty() || prefix_.front().sql != "BEGIN";
  prefix_.clear();
  commit_.reset();
  intact_ = false;
  if (!begun) return;
  std::vector<Statement> statements;
  statements.emplace_back("ROLLBACK");
  link_->submit(std::make_shared<Job>(link_->executor(), std::move(statements)));
}

void Group::pass_turn() {
  const bool full = commit_ && (commit_->members >= max_members || hurried_);
  if (commit_ && (full || waiting_.empty())) return commit();
  grant_next();
}

void Group::grant_next() {
  intact_ = false;
  taken_ = !waiting_.empty();
  if (!taken_) return;
  const std::shared_ptr<Waiter> next = std::move(waiting_.front());
  waiting_.pop_front();
  next->granted = true;
  next->timer.cancel();
}

void Group::commit() {
  committing_ = true;
  hurried_ = false;
  intact_ = false;
  std::vector<Statement> statements = std::exchange(prefix_, {});
  statements.emplace_back("COMMIT");
  const auto job = std::make_shared<Job>(link_->executor(), std::move(statements));
  job->wanted = job->statements.size() - 1;
  job->on_done = [self = shared_from_this(), commit = std::exchange(commit_, nullptr),
                  start = std::chrono::steady_clock::now()](Job& done) {
    std::optional<StoreError> error = std::move(done.error);
    if (!error &&
        (!done.result || libpq().cmdStatus(done.result.get()) != std::string_view("COMMIT"))) {
      error = StoreError(StoreError::Kind::unavailable, "PostgreSQL: it was rolled back");
    }
    self->metrics_.commit_seconds.add(std::chrono::steady_clock::now() - start);
    self->metrics_.group_sizes.add(commit->members);
    if (error) ++self->metrics_.failed_commits;
    end(*commit, std::move(error));
    self->committing_ = false;
    self->grant_next();
  };
  link_->submit(job);
}

void Group::lose(const Link* link) {
  if (link != link_.get()) return;
  prefix_.clear();
  hurried_ = false;
  intact_ = false;
  if (const auto commit = std::exchange(commit_, nullptr)) end(*commit, connection_lost());
}

void Group::end(Commit& commit, std::optional<StoreError> error) {
  commit.error = std::move(error);
  commit.done = true;
  commit.ended.cancel();
}

}  // namespace molecule::server::store::postgres
