#pragma once

#include <span>

#include "server/store/migrations.hpp"
#include "server/store/postgres/connection/libpq_api.hpp"

namespace molecule::server::store::postgres {

/// Applies the missing steps in one transaction: all of them or none. If several processes start at
/// once, one migrates while the others wait for its lock. Throws `StoreError`, also for a store
/// that a newer program wrote or that has another history, and for a database that cannot be used.
void migrate(PGconn* connection, std::span<const Migration> migrations);

}  // namespace molecule::server::store::postgres
