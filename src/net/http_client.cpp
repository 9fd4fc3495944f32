#include "net/http_client.hpp"

#include <system_error>

#include "base/text/text.hpp"
#include "net/engine.hpp"
#include "net/transfer.hpp"

namespace molecule::net {

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  for (const Header& field : headers) {
    if (text::equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

HttpClient::HttpClient(const asio::any_io_executor& executor)
    : engine_(std::make_shared<Engine>(executor)), streams_(std::make_shared<Engine>(executor)) {}

HttpClient::~HttpClient() = default;

awaitable<Result<HttpResponse, HttpError>> HttpClient::send(HttpRequest request) {
  const std::shared_ptr<Engine> engine = engine_;
  const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) {
    throw std::system_error(asio::error::operation_aborted);
  }
  if (Result<void, HttpError> started = engine->start(); !started) {
    Result<HttpResponse, HttpError> failed = Failure{std::move(started.error())};
    co_return failed;
  }
  Transfer transfer(engine->curl(), engine->clock(), std::move(request));
  if (Result<void, HttpError> prepared = transfer.prepare(); !prepared) {
    Result<HttpResponse, HttpError> failed = Failure{std::move(prepared.error())};
    co_return failed;
  }
  struct Attached {
    Attached(Engine& engine_, Transfer& transfer_) : owner(engine_), exchange(transfer_) {
      owner.add(exchange);
    }
    Attached(const Attached&) = delete;
    Attached& operator=(const Attached&) = delete;
    ~Attached() { owner.remove(exchange); }
    Engine& owner;
    Transfer& exchange;
  };
  const Attached attached(*engine, transfer);
  while (!transfer.finished()) co_await transfer.wait();
  Result<HttpResponse, HttpError> outcome = transfer.take();
  co_return outcome;
}

}  // namespace molecule::net
