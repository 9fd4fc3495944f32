#include "app/platform/health.hpp"

#include <fmt/format.h>

#include <asio/connect.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <exception>
#include <string>

#include "base/async/asio.hpp"
#include "base/log.hpp"
#include "base/output.hpp"
#include "base/text/text.hpp"

namespace molecule::app {

namespace {

constexpr std::chrono::seconds patience{5};
constexpr std::size_t max_answer = 65'536;

/// What listens on all addresses is reached on this machine's own.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

awaitable<std::string> ask(asio::io_context& loop, std::string host, std::uint16_t port) {
  asio::ip::tcp::socket socket(loop);
  // "localhost" means the address that the server listens on.
  const std::string address = host == "localhost" ? "127.0.0.1" : host;
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address), port);
  co_await socket.async_connect(endpoint, asio::use_awaitable);
  const std::string request = fmt::format(
      "GET /health HTTP/1.1\r\nHost: {}:{}\r\nConnection: close\r\n\r\n", url_host(host), port);
  co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
  std::string answer(max_answer, '\0');
  auto [error, size] = co_await asio::async_read(socket, asio::buffer(answer), as_tuple);
  answer.resize(size);
  co_return answer;
}

}  // namespace

int check_health(const PlatformOptions& options) {
  const std::string host = reachable(options.host);
  asio::io_context loop(1);
  std::string answer;
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(loop, ask(loop, host, options.port),
                 [&answer, &failure, &ended](std::exception_ptr error, std::string text) {
                   failure = error;
                   answer = std::move(text);
                   ended = true;
                 });
  loop.run_for(patience);
  const std::string where = fmt::format("{}:{}", url_host(host), options.port);
  if (!ended) {
    log::error("no answer from {} within {} s", where, patience.count());
    return 1;
  }
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      log::error("cannot reach {}: {}", where, error.what());
    }
    return 1;
  }
  const std::string_view status = std::string_view(answer).substr(0, answer.find("\r\n"));
  if (!status.starts_with("HTTP/1.1 200")) {
    log::error("{} answers: {}", where, text::one_line(status));
    return 1;
  }
  return output::print("ok\n") ? 0 : 1;
}

}  // namespace molecule::app
