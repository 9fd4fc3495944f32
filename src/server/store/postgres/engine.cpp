#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/log.hpp"
#include "server/store/database.hpp"
#include "server/store/postgres/connect.hpp"
#include "server/store/postgres/migrate.hpp"
#include "server/store/postgres/session.hpp"
#include "server/store/postgres/signals/channel.hpp"

namespace molecule::server::store {

namespace postgres {

namespace {

/// A store in a PostgreSQL database, which several processes may use. Sessions that write share
/// transactions (see `Group`); others see only what is committed.
class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(const Parameters& parameters, int connections)
      : channel_(parameters), pool_(parameters, connections) {}

  std::unique_ptr<Session> session() override { return std::make_unique<PostgresSession>(pool_); }
  bool shared() const override { return true; }
  bool replaced() const override { return false; }
  void shrink_log() override {}
  Signals* signals() override { return &channel_; }

 private:
  Channel channel_;
  Pool pool_;
};

std::string backend(PGconn* connection) {
  const ResultPtr result(libpq().exec(connection, "SELECT pg_backend_pid()"));
  if (libpq().resultStatus(result.get()) != PGRES_TUPLES_OK) throw result_error(result.get());
  return libpq().getvalue(result.get(), 0, 0);
}

/// Prepared statements and settings belong to the server's side of a connection, which a pooler in
/// transaction mode gives to whoever asks next: two connections that are idle have the same one.
void refuse_shared_backend(PGconn* first, const Parameters& parameters) {
  const std::string own = backend(first);
  const ConnectionPtr second = connect_now(parameters);
  if (backend(second.get()) != own) return;
  throw StoreError(StoreError::Kind::failed,
                   "the store is behind a pooler in transaction or statement mode, which mixes up "
                   "connections: set pool_mode = session, or name the server itself");
}

}  // namespace

}  // namespace postgres

std::unique_ptr<Database> open_server(const std::string& url,
                                      const std::optional<std::string>& password, int connections) {
  using namespace postgres;
  const Parameters parameters = read_store_url(url, password);
  const ConnectionPtr connection = connect_now(parameters);
  refuse_shared_backend(connection.get(), parameters);
  migrate(connection.get(), migrations());
  log::info("the store is {}", describe(parameters));
  return std::make_unique<PostgresDatabase>(parameters, connections);
}

}  // namespace molecule::server::store
