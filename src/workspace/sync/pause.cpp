#include "workspace/sync/pause.hpp"

#include <algorithm>

namespace molecule::workspace {

awaitable<void> sleep_unless_suspended(Clock& clock, const Timing& timing,
                                       Clock::time_point deadline) {
  const Clock::duration before = clock.suspended();
  while (clock.now() < deadline) {
    const Clock::time_point look =
        std::min<Clock::time_point>(deadline, clock.now() + timing.suspend_check);
    co_await sleep_until(clock, look);
    if (clock.suspended() - before > timing.min_suspension) co_return;
  }
}

Clock::duration asked_pause(const platform::Error& error, std::chrono::seconds max) {
  if (!error.retry_after) return {};
  return std::min(*error.retry_after, max) + std::chrono::seconds(1);
}

}  // namespace molecule::workspace
