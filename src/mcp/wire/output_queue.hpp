#pragma once

#include <asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"
#include "base/async/event.hpp"
#include "base/async/tasks.hpp"

namespace molecule::mcp {

/// The lines on their way to the reader, in order and whole. What the kernel takes at once is
/// written at once; one task waits and writes the rest. Makes the descriptor (any kind of file)
/// non-blocking and works on a copy of it. It holds what it is given: whoever produces output looks
/// at `queued` and waits. Lives in a `shared_ptr`.
class OutputQueue : public std::enable_shared_from_this<OutputQueue> {
 public:
  /// `changed` is notified when something was written, and when the reader is gone.
  OutputQueue(asio::any_io_executor executor, Clock& clock, int descriptor,
              std::shared_ptr<Event> changed);
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue();

  /// Called from the loop, once, when the first bytes were handed to the kernel.
  std::function<void()> on_first_write;
  /// Called when the reader is gone, or an error makes writing impossible.
  std::function<void()> on_closed;

  /// Begins to watch for the reader's end, which is noticed also while nothing is written.
  void start();
  /// Queues `json` as one line; nothing is written before `flush` or `flush_soon`.
  void send(std::string_view json);
  /// Hands the kernel what it takes now.
  void flush();
  /// The same in the loop's next turn, so that the answers of one turn leave in one write.
  void flush_soon();
  std::size_t queued() const { return buffer_.size() - sent_; }
  bool closed() const { return closed_; }
  /// errno of what made writing impossible; 0 where the reader has gone.
  int failure() const { return failure_; }
  /// Returns when all is written, the reader is gone, or has taken nothing for `patience`.
  awaitable<void> drain(Clock::duration patience);
  /// Ends the tasks; what is still queued is lost.
  awaitable<void> stop();

 private:
  awaitable<void> write_rest();
  awaitable<void> watch_reader();
  /// Whether it is worth to try again at once.
  bool write_some();
  void compact();
  void close();

  asio::posix::stream_descriptor descriptor_;
  Clock& clock_;
  std::shared_ptr<Event> changed_;
  TaskGroup tasks_;
  std::string buffer_;
  std::size_t sent_ = 0;
  Clock::time_point last_progress_{};
  bool first_write_ = true;
  bool waiting_ = false;
  bool flush_posted_ = false;
  bool closed_ = false;
  int failure_ = 0;
};

}  // namespace molecule::mcp
