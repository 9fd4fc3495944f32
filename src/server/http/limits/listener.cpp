#include "server/http/limits/listener.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::milliseconds retry_interval(50);
constexpr std::chrono::milliseconds full_interval(1);

/// Ends of the new connection itself: the next one may be all right.
bool is_of_one_connection(const asio::error_code& failure) {
  return failure == asio::error::connection_aborted || failure == asio::error::connection_reset ||
         failure == asio::error::network_down || failure == asio::error::network_unreachable ||
         failure == asio::error::host_unreachable || failure == asio::error::timed_out;
}

/// Some for those who come next, too, so that each of a crowd does not cost a search.
std::size_t room(std::size_t most) {
  return std::max<std::size_t>(1, most / 16);
}

asio::ip::tcp family_of(int socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof(own);
  const bool v6 = ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
                  own.ss_family == AF_INET6;
  return v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
}

void hand_over(const Listener::Open& open, asio::ip::tcp::socket socket) {
  try {
    open(std::move(socket));
  } catch (const std::exception& error) {
    log::warning("a new connection could not be served: {}", error.what());
  }
}

}  // namespace

asio::ip::tcp::endpoint endpoint_of(const std::string& host, std::uint16_t port) {
  if (host == "localhost") return {asio::ip::address_v4::loopback(), port};
  return {asio::ip::make_address(host), port};
}

Listener::Listener(asio::io_context& loop, const asio::ip::tcp::endpoint& endpoint)
    : acceptor_(loop, endpoint) {}

Listener::Listener(asio::io_context& loop, int listening)
    : acceptor_(loop, family_of(listening), listening) {}

awaitable<void> Listener::accept_all(Clock& clock, Connections& connections, std::size_t most,
                                     Open open) {
  bool told = false;
  while (acceptor_.is_open()) {
    if (connections.size() >= most) {
      connections.drop_silent(room(most));
      // What was dropped goes away in the next turns of the loop.
      co_await sleep_for(clock, full_interval);
      continue;
    }
    asio::ip::tcp::socket socket(acceptor_.get_executor());
    auto [failure] = co_await acceptor_.async_accept(socket, as_tuple);
    if (!failure) {
      hand_over(open, std::move(socket));
      continue;
    }
    if (failure == asio::error::operation_aborted || !acceptor_.is_open()) co_return;
    if (is_of_one_connection(failure)) continue;
    if (!std::exchange(told, true)) {
      log::warning("new connections cannot be accepted now: {}", failure.message());
    }
    connections.drop_silent(room(most));
    co_await sleep_for(clock, retry_interval);
  }
}

void Listener::close() {
  asio::error_code ignored;
  (void)acceptor_.close(ignored);
}

}  // namespace molecule::server
