#pragma once

#include <span>

#include "base/sqlite.hpp"
#include "server/store/migrations.hpp"

namespace molecule::server::store {

/// Applies what is missing, in one transaction: all of it or nothing. Of several processes that
/// start at once, one migrates while the others wait. Throws `StoreError` for a store that a newer
/// program wrote, or whose history is another one; it throws `sqlite::Error` too.
void migrate(molecule::sqlite::Database& database, std::span<const Migration> migrations);

}  // namespace molecule::server::store
