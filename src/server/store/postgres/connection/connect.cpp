#include "server/store/postgres/connection/connect.hpp"

#include <asio/ip/tcp.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <vector>

#include "base/log.hpp"
#include "base/text/text.hpp"
#include "server/store/store_error.hpp"

namespace molecule::server::store::postgres {

namespace {

using TimePoint = std::chrono::steady_clock::time_point;

[[noreturn]] void fail(const PGconn* connection) {
  throw StoreError(StoreError::Kind::unavailable,
                   "PostgreSQL: " + text::one_line(text::trim(libpq().errorMessage(connection))));
}

void log_notice(void*, const char* text) {
  log::info("PostgreSQL: {}", text::one_line(text::trim(text)));
}

/// Watches a socket that libpq owns and closes.
struct Watch {
  Watch(const asio::any_io_executor& executor, int socket, TimePoint give_up)
      : descriptor(executor, socket), timer(executor, give_up) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { descriptor.release(); }
  asio::posix::stream_descriptor descriptor;
  asio::steady_timer timer;
};

awaitable<void> wait_ready(int socket, asio::posix::descriptor_base::wait_type what,
                           TimePoint give_up) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto watch = std::make_shared<Watch>(executor, socket, give_up);
  watch->timer.async_wait([weak = std::weak_ptr<Watch>(watch)](const asio::error_code& error) {
    const auto late = weak.lock();
    if (!error && late) late->descriptor.cancel();
  });
  auto [error] = co_await watch->descriptor.async_wait(what, as_tuple);
  if (error) {
    throw StoreError(StoreError::Kind::unavailable, "PostgreSQL: no answer in time");
  }
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from <= list.size()) {
    const std::size_t end = std::min(list.find(',', from), list.size());
    parts.push_back(list.substr(from, end - from));
    from = end + 1;
  }
  return parts;
}

/// The parameters that name servers, as lists of the same length.
struct Hosts {
  std::string host;
  std::string address;
  std::string port;

  void add(const std::string& name, const std::string& resolved, const std::string& service) {
    const char* comma = port.empty() && host.empty() ? "" : ",";
    host.append(comma).append(name);
    address.append(comma).append(resolved);
    port.append(comma).append(service);
  }
};

bool is_local(const std::string& host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@');
}

/// Adds the addresses of each host, all of which are tried in their order.
awaitable<void> resolve(Parameters& parameters) {
  if (parameters.contains("hostaddr") || !parameters.contains("host")) co_return;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const std::vector<std::string> names = split(parameters["host"]);
  const std::vector<std::string> ports = split(parameters["port"]);
  asio::ip::tcp::resolver resolver(executor);
  Hosts hosts;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string port = ports.size() == names.size() ? ports[i] : ports[0];
    if (port.empty()) port = "5432";
    if (is_local(names[i])) {
      hosts.add(names[i], "", port);
      continue;
    }
    auto [error, found] = co_await resolver.async_resolve(names[i], port, as_tuple);
    if (error) log::warning("PostgreSQL: cannot resolve {}: {}", names[i], error.message());
    for (const auto& entry : found) {
      hosts.add(names[i], entry.endpoint().address().to_string(), port);
    }
  }
  if (hosts.host.empty() && hosts.port.empty()) {
    throw StoreError(StoreError::Kind::unavailable, "PostgreSQL: the host has no address");
  }
  parameters["host"] = hosts.host;
  parameters["hostaddr"] = hosts.address;
  parameters["port"] = hosts.port;
}

/// The lists that libpq takes.
struct Arguments {
  explicit Arguments(const Parameters& parameters) {
    for (const auto& [name, value] : parameters) {
      names.push_back(name.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names;
  std::vector<const char*> values;
};

}  // namespace

awaitable<ConnectionPtr> connect(Parameters parameters, TimePoint give_up) {
  co_await resolve(parameters);
  const Arguments arguments(parameters);
  ConnectionPtr connection(
      libpq().connectStartParams(arguments.names.data(), arguments.values.data(), 0));
  if (!connection || libpq().status(connection.get()) == CONNECTION_BAD) fail(connection.get());
  libpq().setNoticeProcessor(connection.get(), log_notice, nullptr);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    const auto ready = next == PGRES_POLLING_READING ? asio::posix::descriptor_base::wait_read
                                                     : asio::posix::descriptor_base::wait_write;
    // Each attempt may have a socket of its own.
    co_await wait_ready(libpq().socket(connection.get()), ready, give_up);
    next = libpq().connectPoll(connection.get());
    if (next == PGRES_POLLING_FAILED) fail(connection.get());
  }
  co_return connection;
}

ConnectionPtr connect_now(const Parameters& parameters) {
  const Arguments arguments(parameters);
  ConnectionPtr connection(
      libpq().connectdbParams(arguments.names.data(), arguments.values.data(), 0));
  if (!connection || libpq().status(connection.get()) != CONNECTION_OK) fail(connection.get());
  libpq().setNoticeProcessor(connection.get(), log_notice, nullptr);
  return connection;
}

}  // namespace molecule::server::store::postgres
