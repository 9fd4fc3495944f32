#include "server/http/metrics_listener.hpp"

#include <fmt/format.h>

#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "base/log.hpp"
#include "server/api/operations/metrics.hpp"
#include "server/http/limits/listener.hpp"
#include "server/metrics/exposition.hpp"

namespace molecule::server {

namespace {

constexpr std::chrono::seconds patience(10);
constexpr std::chrono::milliseconds retry_interval(100);
constexpr std::size_t max_head_bytes = 8192;
constexpr std::size_t max_clients = 16;

std::string answer_text(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

bool asks_for_metrics(std::string_view head) {
  constexpr std::string_view line = "GET /metrics";
  if (!head.starts_with(line)) return false;
  head.remove_prefix(line.size());
  return head.starts_with(' ') || head.starts_with('?');
}

}  // namespace

MetricsListener::MetricsListener(asio::io_context& loop, Services& services,
                                 const std::string& host, std::uint16_t port)
    : services_(services),
      acceptor_(loop, endpoint_of(host, port)),
      clients_(loop.get_executor(), services.clock,
               [](std::string_view task, const std::exception_ptr& error) {
                 log_failure(task, error);
               }) {}

awaitable<void> MetricsListener::serve() {
  while (true) {
    asio::ip::tcp::socket socket(acceptor_.get_executor());
    auto [failure] = co_await acceptor_.async_accept(socket, as_tuple);
    if (failure == asio::error::operation_aborted) co_return;
    if (failure) co_await sleep_for(services_.clock, retry_interval);
    // Beyond that a client is not monitoring.
    if (!failure && clients_.size() < max_clients) {
      clients_.spawn("metrics client", answer(std::move(socket)));
    }
  }
}

awaitable<void> MetricsListener::answer(asio::ip::tcp::socket accepted) {
  const auto shared = std::make_shared<asio::ip::tcp::socket>(std::move(accepted));
  asio::ip::tcp::socket& socket = *shared;
  // Closing the socket ends whatever it waits for. The deadline may pass while this ends.
  asio::steady_timer deadline(socket.get_executor(), patience);
  deadline.async_wait([weak = std::weak_ptr(shared)](const asio::error_code& ended) {
    const auto late = weak.lock();
    asio::error_code ignored;
    if (!ended && late) (void)late->close(ignored);
  });
  std::string head;
  auto [unread, size] = co_await asio::async_read_until(
      socket, asio::dynamic_buffer(head, max_head_bytes), "\r\n\r\n", as_tuple);
  if (unread) co_return;
  std::string text =
      answer_text("404 Not Found", "text/plain; charset=utf-8", "404 page not found");
  if (asks_for_metrics(head)) {
    const std::string body = co_await metrics_text(services_);
    text = answer_text("200 OK", Exposition::content_type, body);
  }
  [[maybe_unused]] auto [unsent, sent] =
      co_await asio::async_write(socket, asio::buffer(text), as_tuple);
  asio::error_code ignored;
  (void)socket.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

}  // namespace molecule::server
