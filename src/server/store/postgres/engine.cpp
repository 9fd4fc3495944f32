#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/log.hpp"
#include "server/store/database.hpp"
#include "server/store/postgres/connection/connect.hpp"
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
  PostgresDatabase(const Parameters& parameters, int connections, std::string engine)
      : engine_(std::move(engine)),
        channel_(parameters),
        pool_(parameters, connections, metrics_) {}

  std::unique_ptr<Session> session() override { return std::make_unique<PostgresSession>(pool_); }
  bool shared() const override { return true; }
  bool replaced() const override { return false; }
  void shrink_log() override {}
  void use_idle_time() override {}
  std::string engine() const override { return engine_; }
  awaitable<StoreSize> size() override {
    const std::unique_ptr<Session> one = session();
    Rows row = co_await one->query("SELECT pg_database_size(current_database())");
    StoreSize size;
    if (row.next()) size.bytes = static_cast<std::uint64_t>(row.integer(0));
    co_return size;
  }
  Signals* signals() override { return &channel_; }

 private:
  std::string engine_;
  Channel channel_;
  Pool pool_;
};

/// The only value of the only row.
std::string value_of(PGconn* connection, const char* sql) {
  const ResultPtr result(libpq().exec(connection, sql));
  if (libpq().resultStatus(result.get()) != PGRES_TUPLES_OK) throw result_error(result.get());
  return libpq().getvalue(result.get(), 0, 0);
}

/// Prepared statements and settings belong to the server's side of a connection, which a pooler in
/// transaction mode gives to whoever asks next: two connections that are idle have the same one.
void refuse_shared_backend(PGconn* first, const Parameters& parameters) {
  constexpr const char* backend = "SELECT pg_backend_pid()";
  const std::string own = value_of(first, backend);
  const ConnectionPtr second = connect_now(parameters);
  if (value_of(second.get(), backend) != own) return;
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
  std::string engine = "PostgreSQL " + value_of(connection.get(), "SHOW server_version");
  return std::make_unique<PostgresDatabase>(parameters, connections, std::move(engine));
}

}  // namespace molecule::server::store
