#include "server/store/postgres/signals/channel.hpp"

#include <array>
#include <asio/posix/stream_descriptor.hpp>
#include <span>
#include <utility>
#include <vector>

#include "base/async/backoff.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/text/text.hpp"
#include "server/store/postgres/connection/connect.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store::postgres {

namespace {

using Clock = std::chrono::steady_clock;

/// Also how often the lock is tried, and how often the server hears from this session.
constexpr std::chrono::seconds look_interval{1};
constexpr std::chrono::seconds patience{5};
/// Several in one round trip.
constexpr std::size_t max_texts = 16;
/// While the server is away; what is dropped beyond is told by rows.
constexpr std::size_t max_waiting_bytes = std::size_t{1} << 20;

// Of one schema: two platforms may share a database. A session that is silent for longer, because
// its process hangs or its machine is gone, is ended by the server, and with it the lock.
constexpr const char* setup_statements =
    "SET statement_timeout = '4s';"
    "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2;"
    "DO $$ BEGIN EXECUTE format('LISTEN %I', 'molecule ' || current_schema()); END $$";

/// The first version that has it.
constexpr int idle_timeout_version = 140'000;
constexpr const char* idle_timeout_statement = "SET idle_session_timeout = '4s';";

constexpr const char* lock_statement =
    "SELECT pg_try_advisory_lock(hashtextextended('molecule leader ' || current_schema(), 0))";
/// A lock is held as long as its session.
constexpr const char* still_there_statement = "SELECT true";

[[noreturn]] void lost(std::string why) {
  throw StoreError(StoreError::Kind::unavailable, "PostgreSQL: " + std::move(why));
}

}  // namespace

/// The session's connection, whose socket libpq owns.
struct Channel::Watch {
  Watch(const asio::any_io_executor& executor, ConnectionPtr open)
      : connection(std::move(open)),
        descriptor(executor, libpq().socket(connection.get())),
        timer(executor) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { descriptor.release(); }

  PGconn* get() { return connection.get(); }

  /// Returns when bytes have come, at `deadline`, and when `wake` is called.
  static awaitable<void> wait(std::shared_ptr<Watch> self, Clock::time_point deadline) {
    self->timer.expires_at(deadline);
    self->timer.async_wait([weak = std::weak_ptr<Watch>(self)](const asio::error_code& error) {
      const auto late = weak.lock();
      if (!error && late) late->wake();
    });
    auto [error] =
        co_await self->descriptor.async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
    // A cancelled task throws at its next await.
    static_cast<void>(error);
  }
  void wake() { descriptor.cancel(); }

  ConnectionPtr connection;
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;
};

void Channel::send(std::string text) {
  if (text.size() > max_bytes || waiting_bytes_ + text.size() > max_waiting_bytes) return;
  waiting_bytes_ += text.size();
  waiting_.push_back(std::move(text));
  if (watch_) watch_->wake();
}

void Channel::forget_session() {
  leads_ = false;
  watch_.reset();
  asked_ = Query::none;
  // Whether they were sent is not known: once more does no harm.
  sent_ = 0;
}

awaitable<void> Channel::run(Handlers handlers) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Backoff backoff(std::chrono::milliseconds(100), std::chrono::seconds(1));
  asio::steady_timer pause(executor);
  std::string last;
  while (true) {
    try {
      ConnectionPtr connection = co_await connect(parameters_, Clock::now() + patience);
      watch_ = std::make_shared<Watch>(executor, std::move(connection));
      co_await serve(handlers);
    } catch (const StoreError& error) {
      const std::string reason = text::one_line(error.what());
      if (reason != last) log::warning("the session with other instances: {}", reason);
      last = reason;
    }
    forget_session();
    pause.expires_after(backoff.next(random_unit()));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

awaitable<void> Channel::serve(Handlers& handlers) {
  const std::shared_ptr<Watch> watch = watch_;
  libpq().setnonblocking(watch->get(), 1);
  next_look_ = Clock::now();
  const bool ends_silent = libpq().serverVersion(watch->get()) >= idle_timeout_version;
  submit(Query::setup, std::string(ends_silent ? idle_timeout_statement : "") + setup_statements);
  while (true) {
    ask();
    if (libpq().flush(watch->get()) < 0) lost(libpq().errorMessage(watch->get()));
    const auto until = asked_ != Query::none ? asked_at_ + patience : next_look_;
    co_await Watch::wait(watch, until);
    if (libpq().consumeInput(watch->get()) == 0) lost(libpq().errorMessage(watch->get()));
    take(handlers);
    if (asked_ != Query::none && Clock::now() >= asked_at_ + patience) lost("no answer in time");
  }
}

void Channel::submit(Query query, const std::string& sql) {
  if (libpq().sendQuery(watch_->get(), sql.c_str()) == 0) {
    lost(libpq().errorMessage(watch_->get()));
  }
  asked_ = query;
  asked_at_ = Clock::now();
}

void Channel::ask() {
  if (asked_ != Query::none) return;
  const auto now = Clock::now();
  if (now >= next_look_) {
    submit(Query::lock, leads_ ? still_there_statement : lock_statement);
    next_look_ = now + look_interval;
  } else if (!waiting_.empty()) {
    ask_for_texts();
  }
}

void Channel::ask_for_texts() {
  std::string sql = "SELECT ";
  std::vector<const char*> values;
  for (const std::string& text : waiting_) {
    if (values.size() == max_texts) break;
    if (!values.empty()) sql += ", ";
    values.push_back(text.c_str());
    sql += "pg_notify('molecule ' || current_schema(), $" + std::to_string(values.size()) + ")";
  }
  const int sent =
      libpq().sendQueryParams(watch_->get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                              values.data(), nullptr, nullptr, 0);
  if (sent == 0) lost(libpq().errorMessage(watch_->get()));
  sent_ = values.size();
  asked_ = Query::texts;
  asked_at_ = Clock::now();
}

void Channel::take(Handlers& handlers) {
  while (asked_ != Query::none && libpq().isBusy(watch_->get()) == 0) {
    const ResultPtr result(libpq().getResult(watch_->get()));
    if (result) {
      take_result(result.get());
    } else if (std::exchange(asked_, Query::none) == Query::setup) {
      handlers.connected();
    }
  }
  struct FreeNotify {
    void operator()(PGnotify* notify) const { libpq().freemem(notify); }
  };
  while (true) {
    const std::unique_ptr<PGnotify, FreeNotify> notify(libpq().notifies(watch_->get()));
    if (!notify) return;
    handlers.heard(notify->extra);
  }
}

void Channel::take_result(const PGresult* result) {
  const bool setup = asked_ == Query::setup;
  if (libpq().resultStatus(result) != (setup ? PGRES_COMMAND_OK : PGRES_TUPLES_OK)) {
    lost(libpq().errorMessage(watch_->get()));
  }
  if (setup) return;
  if (asked_ == Query::lock) {
    const bool leads = std::string_view(libpq().getvalue(result, 0, 0)) == "t";
    if (leads && !leads_) log::info("this instance does the work that one of them does");
    leads_ = leads;
    return;
  }
  for (; sent_ > 0; --sent_) {
    waiting_bytes_ -= waiting_.front().size();
    waiting_.pop_front();
  }
}

}  // namespace molecule::server::store::postgres
