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

/// Writes whole lines to the reader, in order. It writes at once what the kernel accepts; one task
/// waits and writes the rest. Works on a duplicate of the descriptor, which may be any kind of
/// file, and makes it non-blocking. The queue itself is unbounded: producers check `queued` and
/// wait. Hold it in a `shared_ptr`.
class OutputQueue : public std::enable_shared_from_this<OutputQueue> {
 public:
  /// Notifies `changed` after each write and when the reader is gone.
  OutputQueue(asio::any_io_executor executor, Clock& clock, int descriptor,
              std::shared_ptr<Event> changed);
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue();

  /// Called from the loop, once, after the first write.
  std::function<void()> on_first_write;
  /// Called when the reader is gone or a write fails.
  std::function<void()> on_closed;

  /// Starts watching for a reader that closes its end, which is then noticed even if nothing is
  /// written.
  void start();
  /// Queues `json` as one line; nothing is written before `flush` or `flush_soon`.
  void send(std::string_view json);
  /// Writes as much as the kernel accepts now.
  void flush();
  /// Flushes in the next turn of the loop, so that the answers of one turn leave in one write.
  void flush_soon();
  std::size_t queued() const { return buffer_.size() - sent_; }
  bool closed() const { return closed_; }
  /// errno of the write that failed; 0 if the reader is gone.
  int failure() const { return failure_; }
  /// Returns when everything is written, the reader is gone, or it has taken nothing for `timeout`.
  awaitable<void> drain(Clock::duration timeout);
  /// Cancels the tasks; output that is still queued is lost.
  awaitable<void> stop();

 private:
  awaitable<void> write_rest();
  awaitable<void> watch_reader();
  /// Returns true if another write may succeed at once.
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
