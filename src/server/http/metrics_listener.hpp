#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "base/async/tasks.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// An address of its own for `GET /metrics`, without a credential: for a network that only the
/// monitoring reaches. Nothing else is served there.
class MetricsListener {
 public:
  /// Listens at once on an IPv4 or IPv6 address or "localhost"; throws `std::system_error` if that
  /// fails. Both references must outlive this.
  MetricsListener(asio::io_context& loop, Services& services, const std::string& host,
                  std::uint16_t port);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// Serves until cancelled.
  awaitable<void> serve();

 private:
  awaitable<void> answer(asio::ip::tcp::socket socket);

  Services& services_;
  asio::ip::tcp::acceptor acceptor_;
  TaskGroup clients_;
};

}  // namespace molecule::server
