#include "server/store/postgres/connection/link.hpp"

#include <chrono>
#include <utility>

#include "base/async/tasks.hpp"
#include "base/log.hpp"
#include "base/text/text.hpp"

namespace molecule::server::store::postgres {

namespace {

/// Longer than the server's own limit of a statement: past it, the server or the way to it hangs.
/// Shorter than the time after which a request ends without an answer.
constexpr std::chrono::seconds max_silence{8};
/// Rows of a stream that wait for their consumer.
constexpr std::size_t max_waiting_rows = 256;
/// Texts of statements are made of few parts; a search has one for each number of words.
constexpr std::size_t max_prepared = 1000;

std::string prepared_key(const Statement& statement) {
  std::string key = statement.sql;
  for (const Oid type : statement.types) key += static_cast<char>('0' + type % 64);
  return key;
}

}  // namespace

Link::Link(const asio::any_io_executor& executor, ConnectionPtr connection)
    : executor_(executor),
      connection_(std::move(connection)),
      socket_(executor, libpq().socket(connection_.get())),
      deadline_(executor),
      consumer_(executor, asio::steady_timer::time_point::max()) {
  libpq().setnonblocking(connection_.get(), 1);
  libpq().enterPipelineMode(connection_.get());
}

Link::~Link() {
  // libpq closes the socket itself.
  if (socket_.is_open()) socket_.release();
}

void Link::close() {
  lost_ = true;
  jobs_.clear();
  deadline_.cancel();
  consumer_.cancel();
  if (socket_.is_open()) socket_.release();
  connection_.reset();
}

bool Link::alive() {
  // An idle connection that the server has closed can be read.
  if (!lost_ && jobs_.empty() &&
      (libpq().consumeInput(connection_.get()) == 0 ||
       libpq().status(connection_.get()) != CONNECTION_OK)) {
    lose("the connection was closed");
  }
  return !lost_;
}

void Link::submit(std::shared_ptr<Job> job) {
  Running& running = jobs_.emplace_back();
  running.job = std::move(job);
  if (lost_) return lose("the connection is lost");
  if (!send(running)) return lose(libpq().errorMessage(connection_.get()));
  const int unsent = libpq().flush(connection_.get());
  if (unsent < 0) return lose(libpq().errorMessage(connection_.get()));
  consumer_.cancel();
  // The pump waits for the server, and has to wait until there is room for the rest too.
  if (pumping_ && unsent == 1) socket_.cancel();
  if (pumping_) return;
  pumping_ = true;
  watch_progress();
  asio::co_spawn(executor_, pump(shared_from_this()), [](const std::exception_ptr& error) {
    if (error) log_failure("postgres", error);
  });
}

bool Link::send(Running& running) {
  for (std::size_t i = 0; i < running.job->statements.size(); ++i) {
    if (!send_statement(running, i)) return false;
  }
  return libpq().pipelineSync(connection_.get()) == 1;
}

std::string Link::prepared_name(const Statement& statement, bool& known) {
  const std::string key = prepared_key(statement);
  const auto found = prepared_.find(key);
  known = found != prepared_.end();
  if (known) return found->second;
  std::string name = "s" + std::to_string(++last_name_);
  prepared_.emplace(key, name);
  return name;
}

bool Link::send_statement(Running& running, std::size_t index) {
  const Statement& statement = running.job->statements[index];
  bool known = false;
  const std::string name = prepared_name(statement, known);
  const int count = static_cast<int>(statement.types.size());
  if (!known) {
    running.expected.push_back({.prepares = true, .name = name, .statement = index});
    if (libpq().sendPrepare(connection_.get(), name.c_str(), statement.sql.c_str(), count,
                            statement.types.data()) != 1) {
      return false;
    }
  }
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const auto& value : statement.values) {
    values.push_back(value ? value->c_str() : nullptr);
    lengths.push_back(value ? static_cast<int>(value->size()) : 0);
  }
  running.expected.push_back({.prepares = false, .name = name, .statement = index});
  return libpq().sendQueryPrepared(connection_.get(), name.c_str(), count, values.data(),
                                   lengths.data(), nullptr, 0) == 1;
}

awaitable<void> Link::pump(std::shared_ptr<Link> self) {
  Link& link = *self;
  while (!link.jobs_.empty() && !link.lost_) {
    if (!link.advance()) {
      [[maybe_unused]] auto [woken] = co_await link.consumer_.async_wait(as_tuple);
      continue;
    }
    if (link.jobs_.empty() || link.lost_) break;
    const int unsent = libpq().flush(link.connection_.get());
    if (unsent < 0) {
      link.lose(libpq().errorMessage(link.connection_.get()));
      break;
    }
    // The server may wait for us to read before it reads on itself.
    if (unsent == 1) {
      link.socket_.async_wait(asio::posix::descriptor_base::wait_write,
                              [self](const asio::error_code& error) {
                                if (!error && self->socket_.is_open()) self->socket_.cancel();
                              });
    }
    [[maybe_unused]] auto [error] =
        co_await link.socket_.async_wait(asio::posix::descriptor_base::wait_read, as_tuple);
    if (!link.lost_ && libpq().consumeInput(link.connection_.get()) == 0) {
      link.lose(libpq().errorMessage(link.connection_.get()));
    }
  }
  link.pumping_ = false;
  link.deadline_.cancel();
}

bool Link::advance() {
  while (!jobs_.empty() && !lost_) {
    Running& front = jobs_.front();
    Job& job = *front.job;
    const bool wanted = !front.expected.empty() && !front.expected.front().prepares &&
                        front.expected.front().statement == job.wanted;
    if (front.fresh && wanted && job.streamed) libpq().setSingleRowMode(connection_.get());
    front.fresh = false;
    const bool alone = jobs_.size() == 1 && !job.abandoned;
    if (alone && job.rows.size() >= max_waiting_rows) return false;
    if (libpq().isBusy(connection_.get()) != 0) return true;
    ResultPtr result(libpq().getResult(connection_.get()));
    ++progress_;
    if (result) {
      take(front, std::move(result));
    } else if (!front.expected.empty()) {
      front.expected.pop_front();
      front.fresh = true;
    } else {
      // Every job ends with a result of its own.
      lose(libpq().errorMessage(connection_.get()));
    }
  }
  return true;
}

void Link::take(Running& running, ResultPtr result) {
  Job& job = *running.job;
  const ExecStatusType status = libpq().resultStatus(result.get());
  if (status == PGRES_PIPELINE_SYNC) return finish_front();
  const bool wanted = !running.expected.empty() && !running.expected.front().prepares &&
                      running.expected.front().statement == job.wanted;
  switch (status) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_SINGLE_TUPLE:
      if (!wanted) return;
      if (!job.streamed) {
        job.result = std::move(result);
      } else if (libpq().ntuples(result.get()) > 0 && !job.abandoned) {
        job.rows.push_back(std::move(result));
        job.changed.cancel();
      }
      return;
    default:
      break;
  }
  // What was not prepared has to be prepared again.
  if (!running.expected.empty() && running.expected.front().prepares) {
    std::erase_if(prepared_, [&name = running.expected.front().name](const auto& entry) {
      return entry.second == name;
    });
  }
  if (status != PGRES_PIPELINE_ABORTED && !job.error) job.error = result_error(result.get());
}

void Link::finish_front() {
  const std::shared_ptr<Job> job = std::move(jobs_.front().job);
  jobs_.pop_front();
  job->done = true;
  job->changed.cancel();
  if (job->on_done) job->on_done(*job);
  // They cost memory on both sides. Names are new each time, so the old ones may stay until the
  // connection ends.
  if (prepared_.size() > max_prepared) lose("too many prepared statements");
}

void Link::lose(const std::string& reason) {
  const bool first = !std::exchange(lost_, true);
  // libpq closes a socket that failed, and the next connection may get its number: the loop must
  // have forgotten it by then.
  if (socket_.is_open()) socket_.release();
  if (first) log::warning("PostgreSQL: {}", text::one_line(text::trim(reason)));
  const auto jobs = std::exchange(jobs_, {});
  for (const Running& running : jobs) {
    Job& job = *running.job;
    if (!job.error) {
      job.error = StoreError(StoreError::Kind::unavailable, "PostgreSQL: the connection was lost");
    }
    job.done = true;
    job.changed.cancel();
  }
  if (first && on_lost) on_lost();
  for (const Running& running : jobs) {
    if (running.job->on_done) running.job->on_done(*running.job);
  }
  consumer_.cancel();
}

void Link::watch_progress() {
  if (std::exchange(watching_, true)) return;
  deadline_.expires_after(max_silence);
  deadline_.async_wait([weak = weak_from_this(), seen = progress_](const asio::error_code& error) {
    const std::shared_ptr<Link> link = weak.lock();
    if (!link) return;
    link->watching_ = false;
    if (error || link->jobs_.empty()) {
      // A job may have come since the last one ended.
      if (link->pumping_) link->watch_progress();
      return;
    }
    const bool waits_for_us = link->jobs_.front().job->rows.size() >= max_waiting_rows;
    if (link->progress_ == seen && !waits_for_us) return link->lose("no answer in time");
    link->watch_progress();
  });
}

}  // namespace molecule::server::store::postgres
