#pragma once

#include <list>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"

namespace molecule {

/// Wakes coroutines that wait for a condition. It holds no state: a waiter tests its condition
/// first and again after each wake-up (nothing can come between on one thread):
///
///     while (!ready()) co_await event.wait();
///
/// Cancelling a waiter throws `asio::error::operation_aborted` out of its wait.
class Event {
 public:
  explicit Event(Clock& clock) : clock_(clock) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Wakes all that wait now.
  void notify_all();
  awaitable<void> wait();
  /// False when `deadline` came first.
  awaitable<bool> wait_until(Clock::time_point deadline);

 private:
  struct Waiter {
    asio::steady_timer timer;
    bool notified = false;
  };
  Clock& clock_;
  std::list<Waiter*> waiters_;
};

}  // namespace molecule
