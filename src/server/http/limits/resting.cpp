#include "server/http/limits/resting.hpp"

#include <exception>
#include <utility>

#include "base/log.hpp"

namespace molecule::server {

/// Lives as long as the wait for its socket.
struct RestingConnections::Resting {
  Resting(asio::ip::tcp::socket one, std::shared_ptr<Connections::Entry> its_entry)
      : socket(std::move(one)), entry(std::move(its_entry)) {
    entry->set_owner({.drop = [this] {
      asio::error_code ignored;
      (void)socket.close(ignored);
    }});
  }
  Resting(const Resting&) = delete;
  Resting& operator=(const Resting&) = delete;
  ~Resting() {
    if (entry) entry->set_owner({});
  }

  asio::ip::tcp::socket socket;
  std::shared_ptr<Connections::Entry> entry;
};

void RestingConnections::add(asio::ip::tcp::socket socket,
                             std::shared_ptr<Connections::Entry> entry) {
  const auto resting = std::make_shared<Resting>(std::move(socket), std::move(entry));
  ++size_;
  resting->socket.async_wait(asio::socket_base::wait_read,
                             [this, resting](asio::error_code failure) {
                               --size_;
                               if (!failure) end_rest(*resting);
                             });
}

void RestingConnections::end_rest(Resting& resting) {
  asio::error_code failure;
  const std::size_t bytes = resting.socket.available(failure);
  // The client has ended it.
  if (failure || bytes == 0) return;
  resting.entry->set_owner({});
  try {
    wake_(std::move(resting.socket), std::move(resting.entry));
  } catch (const std::exception& error) {
    log::warning("a connection ended before its request: {}", error.what());
  }
}

}  // namespace molecule::server
