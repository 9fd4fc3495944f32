#include "server/http/limits/resting.hpp"

#include <array>
#include <asio/buffer.hpp>
#include <exception>
#include <utility>

#include "base/log.hpp"

namespace molecule::server {

/// Lives as long as the wait for its socket.
struct RestingConnections::Resting {
  Resting(asio::ip::tcp::socket one, std::shared_ptr<Connections::Entry> its_entry)
      : socket(std::move(one)), entry(std::move(its_entry)) {
    asio::error_code failure;
    (void)socket.non_blocking(true, failure);
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
  wait(std::make_shared<Resting>(std::move(socket), std::move(entry)));
}

void RestingConnections::wait(const std::shared_ptr<Resting>& resting) {
  ++size_;
  resting->socket.async_wait(asio::socket_base::wait_read,
                             [this, resting](asio::error_code failure) {
                               --size_;
                               if (!failure) end_rest(resting);
                             });
}

void RestingConnections::end_rest(const std::shared_ptr<Resting>& resting) {
  std::array<char, 1> byte{};
  asio::error_code failure;
  resting->socket.receive(asio::buffer(byte), asio::socket_base::message_peek, failure);
  // Asio may take an event of a socket that has gone for one of this socket, which has its place.
  if (failure == asio::error::would_block) return wait(resting);
  // The client has ended it.
  if (failure) return;
  resting->entry->set_owner({});
  try {
    wake_(std::move(resting->socket), std::move(resting->entry));
  } catch (const std::exception& error) {
    log::warning("a connection ended before its request: {}", error.what());
  }
}

}  // namespace molecule::server
