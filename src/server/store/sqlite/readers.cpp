#include "server/store/sqlite/readers.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "server/store/sqlite/session.hpp"

namespace molecule::server::store {

namespace {

bool is_idle(const std::shared_ptr<molecule::sqlite::Database>& connection) {
  return connection.use_count() == 1;
}

}  // namespace

SqliteReaders::SqliteReaders(std::filesystem::path file) : file_(std::move(file)) {
  open();
}

void SqliteReaders::open() {
  auto connection =
      std::make_shared<molecule::sqlite::Database>(file_, molecule::sqlite::Database::ReadOnly{});
  prepare_for_sessions(*connection);
  connections_.insert(connections_.begin(), std::move(connection));
}

void SqliteReaders::refresh() {
  if (is_idle(connections_.front())) return;
  const auto idle = std::ranges::find_if(connections_, is_idle);
  if (idle != connections_.end()) {
    std::rotate(connections_.begin(), idle, idle + 1);
    return;
  }
  try {
    open();
  } catch (const molecule::sqlite::Error& error) {
    log::warning("reading goes on beside older statements: {}", error.what());
  }
}

}  // namespace molecule::server::store
