#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "base/async/clock.hpp"
#include "base/log.hpp"
#include "platform/error.hpp"
#include "workspace/config/timing.hpp"

namespace molecule::workspace {

/// Sleeps until `deadline`, but returns within `Timing::suspend_check` after the machine was
/// suspended for more than `Timing::min_suspension` (molecule-mcp.md 4).
awaitable<void> sleep_unless_suspended(Clock& clock, const Timing& timing,
                                       Clock::time_point deadline);

/// How long the platform asks to wait (`Retry-After`), up to `max`, and a second more: its window
/// opens within the second that it names. Zero if it does not ask.
Clock::duration asked_pause(const platform::Error& error, std::chrono::seconds max);

/// Warns once about something that keeps failing, not at every try.
class LogOnce {
 public:
  void say(std::string text) {
    if (text == last_) return;
    log::warning("{}", text);
    last_ = std::move(text);
  }
  /// True if something was failing.
  bool clear() { return !std::exchange(last_, std::string()).empty(); }

 private:
  std::string last_;
};

}  // namespace molecule::workspace
