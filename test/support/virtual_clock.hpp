#pragma once

#include <map>

#include "base/async/clock.hpp"

namespace molecule::test {

/// A clock that only moves when the test advances it.
class VirtualClock final : public Clock {
 public:
  time_point now() const override { return now_; }
  std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 50)) +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(now_ - time_point()) +
           wall_step_;
  }
  duration suspended() const override { return suspended_; }
  void arm(asio::steady_timer& timer, time_point deadline) override {
    timer.expires_at(time_point::max());
    armed_[&timer] = deadline;
  }
  void disarm(asio::steady_timer& timer) noexcept override { armed_.erase(&timer); }

  /// Advances both clocks and wakes sleepers that are due; they run when the loop runs next.
  void advance(duration by) {
    now_ += by;
    for (const auto& [timer, deadline] : armed_) {
      if (deadline <= now_) timer->cancel();
    }
  }
  /// Changes the wall clock only.
  void step_wall(std::chrono::system_clock::duration by) { wall_step_ += by; }
  /// Simulates a suspend: the wall clock advances, the monotonic clock does not.
  void suspend(duration by) {
    suspended_ += by;
    wall_step_ += std::chrono::duration_cast<std::chrono::system_clock::duration>(by);
  }
  /// The next deadline, or `time_point::max()` if there is none.
  time_point next() const {
    time_point first = time_point::max();
    for (const auto& [timer, deadline] : armed_) first = std::min(first, deadline);
    return first;
  }

 private:
  time_point now_{std::chrono::hours(1)};
  std::chrono::system_clock::duration wall_step_{};
  duration suspended_{};
  std::map<asio::steady_timer*, time_point> armed_;
};

}  // namespace molecule::test
