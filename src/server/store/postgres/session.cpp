#include "server/store/postgres/session.hpp"

#include <charconv>
#include <utility>

#include "base/log.hpp"
#include "server/store/postgres/rows.hpp"

namespace molecule::server::store::postgres {

PostgresSession::~PostgresSession() {
  if (group_) group_->drop(conflict_);
}

awaitable<void> PostgresSession::begin() {
  const std::shared_ptr<Group> group = pool_.group().shared_from_this();
  co_await group->enter();
  group_ = group;
}

awaitable<void> PostgresSession::commit() {
  // The part is no longer this session's to undo once it waits for the others.
  const std::shared_ptr<Group> group = std::exchange(group_, nullptr);
  co_await group->keep();
}

void PostgresSession::lock(std::string_view name) {
  if (!group_) return;
  const std::array<Value, 1> values{Value(name)};
  group_->precede(Statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", values));
}

awaitable<std::shared_ptr<Link>> PostgresSession::start(std::shared_ptr<Job> job) {
  if (group_) co_return group_->submit(std::move(job));
  Slot& slot = pool_.reader();
  std::shared_ptr<Link> link = co_await slot.link();
  link->submit(std::move(job));
  co_return link;
}

awaitable<std::shared_ptr<Job>> PostgresSession::run(std::vector<Statement> statements,
                                                     std::size_t wanted) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto job = std::make_shared<Job>(executor, std::move(statements));
  job->wanted = wanted;
  [[maybe_unused]] const std::shared_ptr<Link> link = co_await start(job);
  co_await Job::wait(job);
  co_return job;
}

void PostgresSession::check(const Job& job) {
  if (!job.error) return;
  conflict_ = conflict_ || job.error->kind() == StoreError::Kind::conflict;
  throw StoreError(*job.error);
}

awaitable<Rows> PostgresSession::all_rows(Statement statement) {
  std::vector<Statement> statements;
  statements.push_back(std::move(statement));
  const std::shared_ptr<Job> job = co_await run(std::move(statements), 0);
  check(*job);
  Rows rows(whole_result(std::move(job->result)));
  co_return rows;
}

awaitable<std::int64_t> PostgresSession::count_changes(Statement statement) {
  std::vector<Statement> statements;
  statements.push_back(std::move(statement));
  const std::shared_ptr<Job> job = co_await run(std::move(statements), 0);
  check(*job);
  std::int64_t count = 0;
  const std::string_view digits = libpq().cmdTuples(job->result.get());
  std::from_chars(digits.data(), digits.data() + digits.size(), count);
  co_return count;
}

awaitable<bool> PostgresSession::try_run(Statement statement) {
  std::vector<Statement> statements;
  if (group_) statements.emplace_back("SAVEPOINT attempt");
  statements.push_back(std::move(statement));
  const std::size_t wanted = statements.size() - 1;
  if (group_) statements.emplace_back("RELEASE attempt");
  const std::shared_ptr<Job> job = co_await run(std::move(statements), wanted);
  if (!job->error) co_return true;
  if (job->error->kind() != StoreError::Kind::failed) check(*job);
  log::warning("{}", job->error->what());
  if (group_) {
    group_->precede(Statement("ROLLBACK TO attempt"));
    group_->precede(Statement("RELEASE attempt"));
  }
  co_return false;
}

awaitable<Rows> PostgresSession::query_values(std::string_view sql, std::span<const Value> values) {
  return all_rows(Statement(sql, values));
}

RowStream PostgresSession::stream_values(std::string_view sql, std::span<const Value> values) {
  return RowStream(streamed_result(
      Statement(sql, values), [this](std::shared_ptr<Job> job) { return start(std::move(job)); }));
}

awaitable<std::int64_t> PostgresSession::execute_values(std::string_view sql,
                                                        std::span<const Value> values) {
  return count_changes(Statement(sql, values));
}

awaitable<bool> PostgresSession::try_execute_values(std::string_view sql,
                                                    std::span<const Value> values) {
  return try_run(Statement(sql, values));
}

}  // namespace molecule::server::store::postgres
