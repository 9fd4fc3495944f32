#pragma once

#include <cstdint>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "server/store/database.hpp"
#include "server/store/sqlite/group.hpp"

namespace molecule::server::store {

/// See `SqliteDatabase`.
class SqliteSession final : public Session {
 public:
  /// `database` and `group` must outlive this.
  SqliteSession(molecule::sqlite::Database& database, SqliteGroup& group)
      : database_(database), group_(group) {}
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;
  ~SqliteSession() override;

  awaitable<void> begin() override;
  awaitable<void> commit() override;
  bool unsettled() const override { return group_.unsettled(); }
  awaitable<void> settled() override { return group_.settled(); }
  void lock(std::string_view) override {}
  RowStream search_memories(const MemorySearch& search) override;
  RowStream search_everything(std::string_view workspace_id, std::string_view text) override;
  awaitable<Rows> list_delegations(std::string_view workspace_id) override;

 protected:
  awaitable<Rows> query_values(std::string_view sql, std::span<const Value> values) override;
  RowStream stream_values(std::string_view sql, std::span<const Value> values) override;
  awaitable<std::int64_t> execute_values(std::string_view sql,
                                         std::span<const Value> values) override;
  awaitable<bool> try_execute_values(std::string_view sql, std::span<const Value> values) override;

 private:
  molecule::sqlite::Statement bound(std::string_view sql, std::span<const Value> values);
  awaitable<Rows> first_row(molecule::sqlite::Statement statement);
  awaitable<std::int64_t> run(molecule::sqlite::Statement statement);
  awaitable<bool> try_run(molecule::sqlite::Statement statement);

  molecule::sqlite::Database& database_;
  SqliteGroup& group_;
  bool in_transaction_ = false;
};

/// The error as every engine reports it.
StoreError store_error(const molecule::sqlite::Error& error);

}  // namespace molecule::server::store
