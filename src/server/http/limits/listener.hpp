#pragma once

#include <asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "base/async/clock.hpp"
#include "server/http/limits/connections.hpp"

namespace molecule::server {

/// Where to listen: an IPv4 or IPv6 address or "localhost".
asio::ip::tcp::endpoint endpoint_of(const std::string& host, std::uint16_t port);

/// Accepts connections until it is closed, whatever goes wrong with one of them or with all: where
/// the system has no descriptor or memory left, silent connections are dropped and it tries again.
/// RESTinio's own acceptor gives up for good after the first failure.
class Listener {
 public:
  using Open = std::function<void(asio::ip::tcp::socket)>;

  /// Listens at once; throws `std::system_error` where that fails. `open` takes each new connection
  /// and may throw; `connections` counts them. Both must outlive `accept_all`.
  Listener(asio::io_context& loop, const asio::ip::tcp::endpoint& endpoint);
  /// Takes over a socket that listens already.
  Listener(asio::io_context& loop, int listening);

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  /// At most `most` connections at a time.
  awaitable<void> accept_all(Clock& clock, Connections& connections, std::size_t most, Open open);
  void close();

 private:
  asio::ip::tcp::acceptor acceptor_;
};

}  // namespace molecule::server
