#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace molecule::server::store {

/// One step of a store's schema: a numbered SQL file, compiled into the program.
struct Migration {
  std::int64_t version = 0;
  std::string_view name;
  /// SHA-256 of the file, hexadecimal. A file never changes once it has been released.
  std::string_view hash;
  std::string_view sql;
};

/// Throws `StoreError` unless this program knows the step of that version, name and hash, which a
/// store has recorded. `instead` says what else a person may do, as part of the text.
void require_known(std::int64_t version, std::string_view name, std::string_view hash,
                   std::span<const Migration> migrations, std::string_view instead);

namespace sqlite {

/// Version 1 first, without gaps.
const std::vector<Migration>& migrations();

}  // namespace sqlite

namespace postgres {

/// The same of the other engine.
const std::vector<Migration>& migrations();

}  // namespace postgres

}  // namespace molecule::server::store
