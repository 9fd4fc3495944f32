#pragma once

#include <map>
#include <memory>
#include <vector>

#include "net/curl_api.hpp"
#include "net/http_client.hpp"

namespace molecule::net {

class Transfer;

/// libcurl's multi handle with its sockets and its one timer on the loop. libcurl's callbacks only
/// record what changed and run no other code; the loop resumes the waiters.
class HttpClient::Engine : public std::enable_shared_from_this<HttpClient::Engine> {
 public:
  explicit Engine(asio::any_io_executor executor);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Loads libcurl on the first call.
  Result<void, HttpError> start();
  const CurlApi& curl() const { return *curl_; }
  Clock& clock() { return clock_; }

  /// Starts the exchange; it may be finished when this returns.
  void add(Transfer& transfer);
  /// Ends the exchange wherever it is; the connection of an unfinished one is closed.
  void remove(Transfer& transfer) noexcept;
  /// Counts exchanges that stay open, which take no place from the kept connections.
  void stream_opened() { keep_connections(++streams_); }
  void stream_closed() { keep_connections(--streams_); }

 private:
  struct Watch;

  void keep_connections(std::size_t streams);
  void drive(curl_socket_t socket, int events);
  void collect();
  void listen(const std::shared_ptr<Watch>& watch);
  void wait_for(const std::shared_ptr<Watch>& watch, int event);
  bool watch_socket(curl_socket_t socket, int what, Watch* watch);
  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watch);
  static int on_timer(CURLM*, long milliseconds, void* self);

  asio::any_io_executor executor_;
  SystemClock clock_;
  asio::steady_timer timer_;
  const CurlApi* curl_ = nullptr;
  CURLM* multi_ = nullptr;
  std::size_t streams_ = 0;
  /// By identity: libcurl may reuse a descriptor's number before it releases the old one.
  std::map<Watch*, std::shared_ptr<Watch>> watches_;
  std::vector<Transfer*> unwatched_;  ///< lost a socket during the current `drive`
};

}  // namespace molecule::net
