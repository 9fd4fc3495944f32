#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "server/store/postgres/connection/libpq_api.hpp"
#include "server/store/store_error.hpp"
#include "server/store/value.hpp"

namespace molecule::server::store::postgres {

/// One statement with its values, which it owns. The values are in the server's text format.
struct Statement {
  Statement(std::string_view sql, std::span<const Value> values = {});

  std::string sql;
  std::vector<Oid> types;
  std::vector<std::optional<std::string>> values;
};

/// What a connection runs in one go: statements that share one round trip. If one fails, the later
/// ones do not run. Without an open transaction all of them are one.
struct Job {
  Job(const asio::any_io_executor& executor, std::vector<Statement> all)
      : statements(std::move(all)), changed(executor, asio::steady_timer::time_point::max()) {}

  std::vector<Statement> statements;
  /// The statement whose result is wanted.
  std::size_t wanted = 0;
  /// Its rows are to come one by one; `rows` gets them.
  bool streamed = false;
  /// Nobody wants the rows any more.
  bool abandoned = false;
  /// Called when the job is done, from the loop. Must not throw.
  std::function<void(Job&)> on_done;

  ResultPtr result;
  std::deque<ResultPtr> rows;
  std::optional<StoreError> error;
  bool done = false;
  /// Cancelled whenever `rows` or `done` changes.
  asio::steady_timer changed;

  /// Returns when the job is done.
  static awaitable<void> wait(std::shared_ptr<Job> job);
  /// The same; throws the job's error.
  static awaitable<void> finish(std::shared_ptr<Job> job);
};

/// The error of a failed statement.
StoreError result_error(const PGresult* result);

}  // namespace molecule::server::store::postgres
