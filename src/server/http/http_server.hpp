#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/router.hpp"
#include "server/http/http_gate.hpp"

namespace molecule::server {

/// Serves a router over HTTP/1.1, and the events on WebSockets at /ws. The only room that knows
/// RESTinio. Everything runs on `loop`; `router` and `services` must outlive it.
class HttpServer {
 public:
  struct Options {
    /// An IPv4 or IPv6 address, or "localhost".
    std::string host = "127.0.0.1";
    /// 0: any free port.
    std::uint16_t port = 0;
    /// A socket that listens already, from the service manager, instead of host and port; -1: none.
    int listening = -1;
    GateRules gate;
  };

  /// Listens at once. Throws `std::system_error` if that fails.
  HttpServer(asio::io_context& loop, Services& services, Router& router, Options options);
  /// Every connection must have ended (`stop`), or the loop must be done for good.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::uint16_t port() const;

  /// Accepts nothing more, lets requests that arrived be answered, closes WebSockets. Returns soon
  /// when idle; a client that does not read its answer is waited for at most a few seconds.
  awaitable<void> stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace molecule::server
