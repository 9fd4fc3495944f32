#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/store/database.hpp"
#include "server/store/postgres/pool.hpp"

namespace molecule::server::store::postgres {

/// See `PostgresDatabase`.
class PostgresSession final : public Session {
 public:
  /// `pool` must outlive this.
  explicit PostgresSession(Pool& pool) : pool_(pool) {}
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession() override;

  awaitable<void> begin() override;
  awaitable<void> commit() override;
  /// What other sessions have not committed cannot be read.
  void lock(std::string_view name) override;
  RowStream search_memories(const MemorySearch& search) override;
  awaitable<Rows> list_delegations(std::string_view workspace_id) override;

 protected:
  RowStream search_window_before(std::string_view workspace_id, std::string_view text,
                                 std::optional<std::int64_t> before_seq) override;
  awaitable<Rows> query_values(std::string_view sql, std::span<const Value> values) override;
  RowStream stream_values(std::string_view sql, std::span<const Value> values) override;
  awaitable<std::int64_t> execute_values(std::string_view sql,
                                         std::span<const Value> values) override;
  awaitable<bool> try_execute_values(std::string_view sql, std::span<const Value> values) override;

 private:
  awaitable<std::shared_ptr<Link>> start(std::shared_ptr<Job> job);
  /// Returns the job when it is done, failed or not.
  awaitable<std::shared_ptr<Job>> run(std::vector<Statement> statements, std::size_t wanted);
  awaitable<Rows> all_rows(Statement statement);
  awaitable<std::int64_t> count_changes(Statement statement);
  awaitable<bool> try_run(Statement statement);
  void check(const Job& job);

  Pool& pool_;
  std::shared_ptr<Group> group_;
  bool conflict_ = false;
};

}  // namespace molecule::server::store::postgres
