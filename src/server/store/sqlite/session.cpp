#include "server/store/sqlite/session.hpp"

#include <utility>

#include "base/log.hpp"

namespace molecule::server::store {

namespace {

using molecule::sqlite::Statement;

bool step(Statement& statement) {
  try {
    return statement.step();
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
}

void bind(Statement& statement, int index, const Value& value) {
  if (value.is_null) return statement.bind_at(index, nullptr);
  switch (value.type) {
    case Value::Type::text:
      return statement.bind_at(index, value.text);
    case Value::Type::number:
      return statement.bind_at(index, value.number);
    case Value::Type::integer:
    case Value::Type::boolean:
      return statement.bind_at(index, value.integer);
  }
}

}  // namespace

/// The rows of a statement. For `Rows` the first one is read ahead, so that an error comes from the
/// query itself, as with an asynchronous engine.
class SqliteSession::StatementRows final : public RowSource {
 public:
  explicit StatementRows(Bound bound) : bound_(std::move(bound)) {}

  void read_first() {
    has_first_ = step(bound_.statement);
    first_pending_ = true;
  }
  bool next() override {
    if (std::exchange(first_pending_, false)) return has_first_;
    return has_first_ && step(bound_.statement);
  }
  awaitable<bool> fetch() override { co_return step(bound_.statement); }
  std::string_view text(int column) const override { return bound_.statement.text(column); }
  std::int64_t integer(int column) const override { return bound_.statement.integer(column); }
  double number(int column) const override { return bound_.statement.number(column); }
  bool boolean(int column) const override { return bound_.statement.integer(column) != 0; }
  bool is_null(int column) const override { return bound_.statement.is_null(column); }

 private:
  Bound bound_;
  bool first_pending_ = false;
  bool has_first_ = false;
};

StoreError store_error(const molecule::sqlite::Error& error) {
  const bool later = error.cannot_write() || error.busy();
  return {later ? StoreError::Kind::unavailable : StoreError::Kind::failed, error.what()};
}

SqliteSession::~SqliteSession() {
  if (in_transaction_) group_.drop();
}

SqliteSession::Bound SqliteSession::bound(std::string_view sql, std::span<const Value> values) {
  std::shared_ptr<molecule::sqlite::Database> reader;
  if (!in_transaction_ && readers_ != nullptr) reader = readers_->current();
  try {
    Bound bound{.reader = reader, .statement = (reader ? *reader : database_).prepare(sql)};
    int index = 0;
    for (const Value& value : values) bind(bound.statement, ++index, value);
    return bound;
  } catch (const molecule::sqlite::Error& error) {
    throw store_error(error);
  }
}

awaitable<Rows> SqliteSession::first_row(Bound bound) {
  auto source = std::make_unique<StatementRows>(std::move(bound));
  source->read_first();
  Rows rows(std::move(source));
  co_return rows;
}

awaitable<std::int64_t> SqliteSession::run(Bound bound) {
  while (step(bound.statement)) {
  }
  co_return (bound.reader ? *bound.reader : database_).changes();
}

awaitable<bool> SqliteSession::try_run(Bound bound) {
  try {
    bound.statement.run();
    co_return true;
  } catch (const molecule::sqlite::Error& error) {
    // SQLite undoes a failed statement, and only that one.
    log::warning("{}", error.what());
    co_return false;
  }
}

awaitable<void> SqliteSession::begin() {
  co_await group_.enter();
  in_transaction_ = true;
}

awaitable<void> SqliteSession::commit() {
  // Released or not, the part is no longer this session's to undo once it waits for the others.
  in_transaction_ = false;
  co_await group_.keep();
}

awaitable<Rows> SqliteSession::query_values(std::string_view sql, std::span<const Value> values) {
  return first_row(bound(sql, values));
}

RowStream SqliteSession::stream_values(std::string_view sql, std::span<const Value> values) {
  return RowStream(std::make_unique<StatementRows>(bound(sql, values)));
}

awaitable<std::int64_t> SqliteSession::execute_values(std::string_view sql,
                                                      std::span<const Value> values) {
  return run(bound(sql, values));
}

awaitable<bool> SqliteSession::try_execute_values(std::string_view sql,
                                                  std::span<const Value> values) {
  return try_run(bound(sql, values));
}

}  // namespace molecule::server::store
