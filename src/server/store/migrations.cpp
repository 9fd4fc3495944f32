#include "server/store/migrations.hpp"

#include <fmt/format.h>

#include "server/store/store_error.hpp"

namespace molecule::server::store {

void require_known(std::int64_t version, std::string_view name, std::string_view hash,
                   std::span<const Migration> migrations, std::string_view instead) {
  const auto known = static_cast<std::int64_t>(migrations.size());
  if (version > known) {
    throw StoreError(
        StoreError::Kind::failed,
        fmt::format("the store was written by a newer molecule-platform (schema version {} or "
                    "later; this program supports up to {}): start that version, or {}",
                    version, known, instead));
  }
  if (version < 1 || hash != migrations[static_cast<std::size_t>(version - 1)].hash) {
    throw StoreError(StoreError::Kind::failed,
                     fmt::format("step {} ({}) of the store's schema differs from this program's: "
                                 "another build of molecule-platform wrote the store",
                                 version, name));
  }
}

}  // namespace molecule::server::store
