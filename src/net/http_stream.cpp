#include "net/http_stream.hpp"

#include <system_error>
#include <utility>

#include "net/engine.hpp"
#include "net/transfer.hpp"

namespace molecule::net {

struct HttpStream::Exchange {
  Exchange(HttpClient::Engine& engine_, HttpRequest request)
      : engine(engine_),
        transfer(engine.curl(), engine.clock(), std::move(request), Transfer::Body::in_pieces) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() {
    if (!attached) return;
    engine.remove(transfer);
    engine.stream_closed();
  }
  void attach() {
    attached = true;
    engine.stream_opened();
    engine.add(transfer);
  }

  HttpClient::Engine& engine;
  Transfer transfer;
  bool attached = false;
};

HttpStream::HttpStream(HttpClient& client) : alone_(client.streams_), shared_(client.engine_) {}
HttpStream::HttpStream(HttpStream&&) noexcept = default;
HttpStream::~HttpStream() = default;

awaitable<Result<HttpResponse, HttpError>> HttpStream::open(HttpRequest request) {
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw std::system_error(asio::error::operation_aborted);
  }
  // HTTP/2 comes with encryption only.
  HttpClient::Engine& engine = request.url.starts_with("http:") ? *alone_ : *shared_;
  if (Result<void, HttpError> started = engine.start(); !started) {
    Result<HttpResponse, HttpError> outcome = Failure{std::move(started.error())};
    co_return outcome;
  }
  const Clock::time_point deadline = engine.clock().now() + request.total_timeout;
  exchange_ = std::make_unique<Exchange>(engine, std::move(request));
  Transfer& transfer = exchange_->transfer;
  if (Result<void, HttpError> prepared = transfer.prepare(); !prepared) {
    Result<HttpResponse, HttpError> outcome = Failure{std::move(prepared.error())};
    co_return outcome;
  }
  exchange_->attach();
  while (!transfer.finished()) {
    const int status = transfer.head().status;
    if (transfer.has_head() && status >= 200 && status < 300) co_return transfer.take_head();
    const bool woken = co_await transfer.wait_until(deadline);
    if (!woken) transfer.fail(HttpErrc::timeout, "no answer began in time");
  }
  co_return transfer.take();
}

awaitable<Result<std::string, HttpError>> HttpStream::read(Clock::duration patience) {
  Transfer& transfer = exchange_->transfer;
  const Clock::time_point deadline = exchange_->engine.clock().now() + patience;
  std::string piece = transfer.take_piece();
  bool woken = true;
  while (piece.empty() && woken && !transfer.finished()) {
    woken = co_await transfer.wait_until(deadline);
    piece = transfer.take_piece();
  }
  if (!piece.empty() || !transfer.finished()) co_return piece;
  auto ended = transfer.take();
  HttpError error{HttpErrc::connection_lost, "the server ended the stream", true};
  if (!ended) error = std::move(ended.error());
  Result<std::string, HttpError> outcome = Failure{std::move(error)};
  co_return outcome;
}

}  // namespace molecule::net
