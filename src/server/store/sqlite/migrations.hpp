#pragma once

#include <cstdint>
#include <span>

#include "base/sqlite/sqlite.hpp"
#include "server/store/migrations.hpp"

namespace molecule::server::store {

/// Applies the missing steps in one transaction: all of them or none. If several processes start at
/// once, one migrates while the others wait. Throws `StoreError` for a store that a newer program
/// wrote or that has another history, and `sqlite::Error`.
void migrate(molecule::sqlite::Database& database, std::span<const Migration> migrations);

/// The store's version: that of its last recorded step. Throws `StoreError` unless this program
/// knows every step, and `sqlite::Error`.
std::int64_t schema_version(molecule::sqlite::Database& database,
                            std::span<const Migration> migrations);

}  // namespace molecule::server::store
