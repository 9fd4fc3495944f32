#pragma once

#include <chrono>

#include "base/async/asio.hpp"

namespace molecule {

/// The source of all time, so that tests run the 20 s heartbeat in microseconds. The program has
/// one `SystemClock`; tests use a `test::VirtualClock`.
class Clock {
 public:
  using duration = std::chrono::steady_clock::duration;
  using time_point = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  /// Monotonic.
  virtual time_point now() const = 0;
  /// The wall clock; it may jump.
  virtual std::chrono::system_clock::time_point wall() const = 0;
  /// The total time for which the machine was suspended, during which monotonic time stands still.
  /// Only differences are meaningful; steps of the wall clock do not count.
  virtual duration suspended() const = 0;

  /// Makes `timer` expire at `deadline` of this clock. For `sleep_until` and `Event` only.
  virtual void arm(asio::steady_timer& timer, time_point deadline) = 0;
  /// Forgets `timer`, which is about to go away.
  virtual void disarm(asio::steady_timer& timer) noexcept = 0;
};

class SystemClock final : public Clock {
 public:
  time_point now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::now();
  }
  duration suspended() const override;
  void arm(asio::steady_timer& timer, time_point deadline) override { timer.expires_at(deadline); }
  void disarm(asio::steady_timer&) noexcept override {}
};

/// Returns at `deadline`. Cancelling the task throws `asio::error::operation_aborted` from here.
awaitable<void> sleep_until(Clock& clock, Clock::time_point deadline);
awaitable<void> sleep_for(Clock& clock, Clock::duration duration);

/// Returns after everything else that is ready has had its turn of the loop.
awaitable<void> next_turn();

}  // namespace molecule
