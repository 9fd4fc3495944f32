#include "server/store/postgres/connection/slot.hpp"

#include <span>
#include <utility>

#include "base/random.hpp"
#include "server/store/postgres/connection/connect.hpp"

namespace molecule::server::store::postgres {

namespace {

constexpr std::chrono::seconds patience{4};

// Limits of a statement, of a wait for a lock, and of a transaction whose program hangs. What was
// acknowledged must be on the server's disk, whatever the database's default is.
constexpr std::string_view session_settings =
    "SELECT set_config('statement_timeout', '6000', false),"
    " set_config('lock_timeout', '3000', false),"
    " set_config('idle_in_transaction_session_timeout', '30000', false),"
    " set_config('client_min_messages', 'warning', false),"
    " set_config('jit', 'off', false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'local' ELSE current_setting('synchronous_commit') END, false)";

}  // namespace

void Slot::close() {
  if (link_) link_->close();
  link_.reset();
}

awaitable<void> Slot::try_connect(Parameters parameters, std::shared_ptr<Attempt> attempt) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  try {
    ConnectionPtr connection =
        co_await connect(std::move(parameters), std::chrono::steady_clock::now() + patience);
    const auto link = std::make_shared<Link>(executor, std::move(connection));
    std::vector<Statement> statements;
    statements.emplace_back(session_settings);
    const auto settings = std::make_shared<Job>(executor, std::move(statements));
    link->submit(settings);
    co_await Job::finish(settings);
    attempt->link = link;
  } catch (const StoreError& error) {
    attempt->error = error;
  } catch (const std::exception& error) {
    attempt->error = StoreError(StoreError::Kind::unavailable, error.what());
  }
  attempt->done = true;
  attempt->ended.cancel();
}

awaitable<std::shared_ptr<Link>> Slot::link() {
  if (link_ && link_->alive()) co_return link_;
  const auto now = std::chrono::steady_clock::now();
  if (!attempt_ && now < next_try_) {
    throw StoreError(StoreError::Kind::unavailable, "PostgreSQL: the server is away");
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (!attempt_) {
    attempt_ = std::make_shared<Attempt>(executor);
    asio::co_spawn(executor, try_connect(parameters_, attempt_), [](const std::exception_ptr&) {});
  }
  const std::shared_ptr<Attempt> attempt = attempt_;
  while (!attempt->done) {
    [[maybe_unused]] auto [woken] = co_await attempt->ended.async_wait(as_tuple);
  }
  if (attempt == attempt_) take(*attempt);
  if (attempt->error) throw StoreError(*attempt->error);
  co_return attempt->link;
}

void Slot::take(Attempt& attempt) {
  attempt_.reset();
  if (attempt.link) {
    if (link_) link_->close();
    link_ = attempt.link;
    backoff_.reset();
  } else {
    next_try_ = std::chrono::steady_clock::now() + backoff_.next(random_unit());
  }
}

}  // namespace molecule::server::store::postgres
