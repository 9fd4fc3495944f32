#pragma once

#include <asio/posix/stream_descriptor.hpp>

#include <span>

#include "base/async/asio.hpp"

namespace molecule::mcp {

/// Reads from a descriptor of any kind: pipe, socket, terminal, regular file, /dev/null. The kinds
/// that epoll refuses never block, so Asio reads them directly. Makes the descriptor non-blocking;
/// does not own it.
class Input {
 public:
  Input(const asio::any_io_executor& executor, int descriptor);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  /// Reads into `space` and returns the number of bytes: 0 at the end of the input, on an error,
  /// and after `stop`. Yields to the loop at least once. Cancelling the task throws
  /// `operation_aborted`.
  awaitable<std::size_t> read(std::span<char> space);
  /// Ends the pending read and all later ones.
  void stop();

 private:
  asio::posix::stream_descriptor descriptor_;
  bool stopped_ = false;
};

}  // namespace molecule::mcp
