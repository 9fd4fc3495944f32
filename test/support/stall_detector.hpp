#pragma once

#include <algorithm>
#include <chrono>

#include "base/async/asio.hpp"

namespace molecule::test {

/// Measures how long handlers block the loop: a timer that records its own lateness.
class StallDetector {
 public:
  using milliseconds = std::chrono::milliseconds;

  explicit StallDetector(asio::io_context& loop) : timer_(loop) { tick(); }

  /// The longest time so far in which the loop handled no event, up to now.
  milliseconds longest() const { return std::max(longest_, lateness()); }

 private:
  static constexpr milliseconds period{2};

  milliseconds lateness() const {
    const auto late = std::chrono::steady_clock::now() - timer_.expiry();
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(late));
  }
  void tick() {
    timer_.expires_after(period);
    timer_.async_wait([this](std::error_code error) {
      if (error) return;
      longest_ = longest();
      tick();
    });
  }

  asio::steady_timer timer_;
  milliseconds longest_{0};
};

}  // namespace molecule::test
