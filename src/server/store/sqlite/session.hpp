#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "server/store/database.hpp"
#include "server/store/sqlite/group.hpp"
#include "server/store/sqlite/readers.hpp"

namespace molecule::server::store {

/// See `SqliteDatabase`.
class SqliteSession final : public Session {
 public:
  /// All must outlive this. `database` is the group's; without `readers` it is read as well.
  SqliteSession(molecule::sqlite::Database& database, SqliteReaders* readers, SqliteGroup& group)
      : database_(database), readers_(readers), group_(group) {}
  SqliteSession(const SqliteSession&) = delete;
  SqliteSession& operator=(const SqliteSession&) = delete;
  ~SqliteSession() override;

  awaitable<void> begin() override;
  awaitable<void> commit() override;
  void lock(std::string_view) override {}
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
  /// A statement, and what keeps its connection.
  struct Bound {
    std::shared_ptr<molecule::sqlite::Database> reader;
    molecule::sqlite::Statement statement;
  };
  class StatementRows;
  Bound bound(std::string_view sql, std::span<const Value> values);
  static awaitable<Rows> first_row(Bound bound);
  awaitable<std::int64_t> run(Bound bound);
  static awaitable<bool> try_run(Bound bound);

  molecule::sqlite::Database& database_;
  SqliteReaders* readers_;
  SqliteGroup& group_;
  bool in_transaction_ = false;
};

/// Gives a connection what the statements of sessions need.
void prepare_for_sessions(molecule::sqlite::Database& database);

/// The error as every engine reports it.
StoreError store_error(const molecule::sqlite::Error& error);

}  // namespace molecule::server::store
