#pragma once

#include <string>
#include <utility>

#include "base/async/clock.hpp"
#include "base/log.hpp"

namespace molecule::workspace {

/// Sleeps until `deadline`, but returns within 5 s after the machine was suspended for more than 10
/// s (molecule-mcp.md 4).
awaitable<void> sleep_unless_suspended(Clock& clock, Clock::time_point deadline);

/// Warns about what keeps failing, once and not at every try.
class LogOnce {
 public:
  void say(std::string text) {
    if (text == last_) return;
    log::warning("{}", text);
    last_ = std::move(text);
  }
  /// True when there was something to complain about.
  bool clear() { return !std::exchange(last_, std::string()).empty(); }

 private:
  std::string last_;
};

}  // namespace molecule::workspace
