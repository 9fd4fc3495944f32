#include "mcp/wire/input.hpp"

#include <asio/buffer.hpp>

#include <system_error>

namespace molecule::mcp {

Input::Input(const asio::any_io_executor& executor, int descriptor)
    : descriptor_(executor, descriptor) {}

Input::~Input() {
  descriptor_.release();
}

awaitable<std::size_t> Input::read(std::span<char> space) {
  if (stopped_) co_return 0;
  const auto buffer = asio::buffer(space.data(), space.size());
  auto [error, bytes] = co_await descriptor_.async_read_some(buffer, as_tuple);
  if (error == asio::error::operation_aborted && !stopped_) throw std::system_error(error);
  // Treat errors (a vanished terminal, a reset socket) like the end of the input.
  if (error || stopped_) co_return 0;
  co_return bytes;
}

void Input::stop() {
  stopped_ = true;
  asio::error_code error;
  // Fails only if no read is pending.
  error = descriptor_.cancel(error);
}

}  // namespace molecule::mcp
