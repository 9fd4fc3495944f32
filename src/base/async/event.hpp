#pragma once

#include <list>

#include "base/async/asio.hpp"
#include "base/async/clock.hpp"

namespace molecule {

/// Wakes coroutines that wait for a condition. It holds no state: a waiter tests its condition
/// before waiting and after each wake-up (with one thread nothing can happen in between):
///
///     while (!ready()) co_await event.wait();
///
/// Cancelling a waiter throws `asio::error::operation_aborted` out of its wait.
class Event {
 public:
  explicit Event(Clock& clock) : clock_(clock) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  /// Wakes all current waiters.
  void notify_all();
  awaitable<void> wait();
  /// Returns false if `deadline` passed first.
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
