#pragma once

#include <chrono>

#include "base/async/clock.hpp"

namespace molecule {

/// A clock whose wall time ignores steps that are taken back soon: a wrong time from a server, a
/// slip of an operator. Wall time goes on from the last good value by monotonic time and suspends;
/// small corrections are followed at once, a step only once it has lasted for ten minutes.
class StepProofClock final : public Clock {
 public:
  /// `source` must outlive this. Its wall time now is believed.
  explicit StepProofClock(Clock& source);

  time_point now() const override { return source_.now(); }
  std::chrono::system_clock::time_point wall() const override;
  duration suspended() const override { return source_.suspended(); }
  void arm(asio::steady_timer& timer, time_point deadline) override {
    source_.arm(timer, deadline);
  }
  void disarm(asio::steady_timer& timer) noexcept override { source_.disarm(timer); }

 private:
  /// Monotonic time with the suspends, since some moment.
  duration elapsed() const { return source_.now().time_since_epoch() + source_.suspended(); }
  void believe(std::chrono::system_clock::time_point wall, duration at) const;

  Clock& source_;
  // What `wall` has learned: it is the only function that looks at the source's wall time.
  mutable std::chrono::system_clock::time_point base_;
  mutable duration base_at_{};
  mutable bool doubting_ = false;
  mutable duration doubting_since_{};
};

}  // namespace molecule
