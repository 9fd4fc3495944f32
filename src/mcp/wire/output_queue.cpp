#include "mcp/wire/output_queue.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace molecule::mcp {

namespace {

constexpr std::size_t max_kept_bytes = std::size_t{256} << 10;
constexpr std::size_t min_compacted_bytes = std::size_t{64} << 10;

/// Duplicates the descriptor: epoll accepts a descriptor only once, and input and output may be the
/// same one.
int duplicate(int descriptor) {
  const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    throw std::system_error(errno, std::generic_category(),
                            "cannot duplicate the output descriptor");
  return copy;
}

}  // namespace

OutputQueue::OutputQueue(asio::any_io_executor executor, Clock& clock, int descriptor,
                         std::shared_ptr<Event> changed)
    : descriptor_(executor, duplicate(descriptor)),
      clock_(clock),
      changed_(std::move(changed)),
      tasks_(std::move(executor), clock, [this](std::string_view task, std::exception_ptr) {
        log::error("the task `{}` failed", task);
        close();
      }) {
  descriptor_.native_non_blocking(true);
}

OutputQueue::~OutputQueue() = default;

void OutputQueue::start() {
  tasks_.spawn("output watch", watch_reader());
}

void OutputQueue::send(std::string_view json) {
  if (closed_) return;
  buffer_ += json;
  buffer_ += '\n';
}

void OutputQueue::flush() {
  while (write_some()) {
  }
  if (queued() == 0 || waiting_) return;
  waiting_ = true;
  tasks_.spawn("output", write_rest());
}

void OutputQueue::flush_soon() {
  if (flush_posted_ || waiting_) return;
  flush_posted_ = true;
  asio::post(descriptor_.get_executor(), [self = shared_from_this()] {
    self->flush_posted_ = false;
    self->flush();
  });
}

awaitable<void> OutputQueue::drain(Clock::duration timeout) {
  const Clock::time_point begun = clock_.now();
  flush();
  while (queued() > 0 && !closed_) {
    const Clock::time_point deadline = std::max(begun, last_progress_) + timeout;
    if (clock_.now() >= deadline) co_return;
    [[maybe_unused]] const bool notified = co_await changed_->wait_until(deadline);
  }
}

awaitable<void> OutputQueue::stop() {
  tasks_.cancel_all();
  co_await tasks_.join();
}

awaitable<void> OutputQueue::write_rest() {
  while (queued() > 0) {
    auto [error] = co_await descriptor_.async_wait(descriptor_.wait_write, as_tuple);
    if (error == asio::error::operation_aborted) throw std::system_error(error);
    if (error) close();
    // One write per turn, so that other tasks run in between.
    write_some();
  }
  waiting_ = false;
}

awaitable<void> OutputQueue::watch_reader() {
  auto [error] = co_await descriptor_.async_wait(descriptor_.wait_error, as_tuple);
  if (error) co_return;  // A regular file has no reader to watch; or the session ended.
  pollfd state{.fd = descriptor_.native_handle(), .events = 0, .revents = 0};
  if (::poll(&state, 1, 0) == 1) close();
}

bool OutputQueue::write_some() {
  if (queued() == 0) return false;
  const ssize_t written = ::write(descriptor_.native_handle(), buffer_.data() + sent_, queued());
  if (written < 0) {
    if (errno == EINTR) return true;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    if (errno != EPIPE && errno != ECONNRESET) failure_ = errno;
    close();
    return false;
  }
  sent_ += static_cast<std::size_t>(written);
  compact();
  last_progress_ = clock_.now();
  changed_->notify_all();
  if (std::exchange(first_write_, false)) {
    asio::post(descriptor_.get_executor(), [self = shared_from_this()] {
      if (self->on_first_write) self->on_first_write();
    });
  }
  return queued() > 0;
}

void OutputQueue::compact() {
  if (queued() == 0) {
    buffer_.clear();
    sent_ = 0;
    if (buffer_.capacity() > max_kept_bytes) std::string().swap(buffer_);
  } else if (sent_ >= min_compacted_bytes && sent_ >= queued()) {
    buffer_.erase(0, sent_);
    sent_ = 0;
  }
}

void OutputQueue::close() {
  if (closed_) return;
  closed_ = true;
  buffer_.clear();
  sent_ = 0;
  changed_->notify_all();
  if (on_closed) on_closed();
}

}  // namespace molecule::mcp
