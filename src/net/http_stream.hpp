#pragma once

#include <memory>
#include <string>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "net/http_client.hpp"

namespace molecule::net {

/// One exchange whose response does not end, read as it arrives. Little is held in memory: a reader
/// that falls behind slows the server down. Destroying it closes the exchange at once, so that the
/// coroutine that owns it ends it by unwinding.
class HttpStream {
 public:
  /// `client` must outlive this.
  explicit HttpStream(HttpClient& client);
  HttpStream(HttpStream&&) noexcept;
  HttpStream& operator=(HttpStream&&) = delete;
  ~HttpStream();

  /// Sends the request, once. Returns a 2xx as soon as its head is complete, with an empty body;
  /// every other response whole. `total_timeout` is the time until then.
  awaitable<Result<HttpResponse, HttpError>> open(HttpRequest request);
  /// What has arrived since the last call, once there is anything; empty if nothing came for
  /// `patience`. The end of the response is an error too (`connection_lost`).
  awaitable<Result<std::string, HttpError>> read(Clock::duration patience);

 private:
  struct Exchange;
  /// Where the stream is alone on its connection, and where it may share one.
  std::shared_ptr<HttpClient::Engine> alone_;
  std::shared_ptr<HttpClient::Engine> shared_;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace molecule::net
