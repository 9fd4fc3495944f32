#pragma once

#include <cstdint>
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

namespace sqlite {

/// Version 1 first, without gaps.
const std::vector<Migration>& migrations();

}  // namespace sqlite

namespace postgres {

/// The same of the other engine.
const std::vector<Migration>& migrations();

}  // namespace postgres

}  // namespace molecule::server::store
