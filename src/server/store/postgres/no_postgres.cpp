#include "server/store/database.hpp"

namespace molecule::server::store {

std::unique_ptr<Database> open_server(const std::string&, const std::optional<std::string>&, int) {
  throw StoreError(StoreError::Kind::failed,
                   "this program was built without PostgreSQL: build it where libpq's headers are "
                   "(Debian: libpq-dev), or use --data alone");
}

}  // namespace molecule::server::store
