#pragma once

#include <asio/ip/tcp.hpp>
#include <cstddef>
#include <functional>
#include <memory>

#include "server/http/limits/connections.hpp"

namespace molecule::server {

/// Connections on which nothing happens: new ones, and those between two requests. Such a
/// connection is its socket and its entry; what RESTinio keeps for one, which is ten times as much,
/// is made when bytes come.
class RestingConnections {
 public:
  using Wake = std::function<void(asio::ip::tcp::socket, std::shared_ptr<Connections::Entry>)>;

  /// `wake` takes a connection whose client sent something. It may throw: then that connection
  /// ends.
  explicit RestingConnections(Wake wake) : wake_(std::move(wake)) {}
  RestingConnections(const RestingConnections&) = delete;
  RestingConnections& operator=(const RestingConnections&) = delete;

  /// Until the client sends something, ends the connection, or the entry is dropped. This must live
  /// as long as the loop runs.
  void add(asio::ip::tcp::socket socket, std::shared_ptr<Connections::Entry> entry);

  std::size_t size() const { return size_; }

 private:
  struct Resting;
  void wait(const std::shared_ptr<Resting>& resting);
  void end_rest(const std::shared_ptr<Resting>& resting);

  Wake wake_;
  std::size_t size_ = 0;
};

}  // namespace molecule::server
