#pragma once

#include <asio/posix/stream_descriptor.hpp>

#include <span>

#include "base/async/asio.hpp"

namespace molecule::mcp {

/// The bytes of a descriptor of any kind: pipe, socket, terminal, regular file, /dev/null. The
/// kinds that epoll refuses never block, and Asio reads them without it. Makes the descriptor
/// non-blocking; does not own it.
class Input {
 public:
  Input(const asio::any_io_executor& executor, int descriptor);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  /// How many bytes were put into `space`, after one turn of the loop at least; 0 at the end of
  /// the input, on an error, and after `stop`. Cancelling the task throws `operation_aborted`.
  awaitable<std::size_t> read(std::span<char> space);
  /// Ends the read that is waiting and all later ones.
  void stop();

 private:
  asio::posix::stream_descriptor descriptor_;
  bool stopped_ = false;
};

}  // namespace molecule::mcp
