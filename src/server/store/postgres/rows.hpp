#pragma once

#include <functional>
#include <memory>

#include "server/store/postgres/connection/link.hpp"
#include "server/store/rows.hpp"

namespace molecule::server::store::postgres {

/// A result that is in memory.
std::unique_ptr<RowSource> whole_result(ResultPtr result);

/// Submits the job of a stream, and returns the connection that runs it. Throws `StoreError`.
using Starter = std::function<awaitable<std::shared_ptr<Link>>(std::shared_ptr<Job> job)>;

/// A result whose rows come one by one, from the first `fetch` on. Rows that nobody fetches any
/// more are thrown away as they come.
std::unique_ptr<RowSource> streamed_result(Statement statement, Starter start);

}  // namespace molecule::server::store::postgres
