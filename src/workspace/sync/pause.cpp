#include "workspace/sync/pause.hpp"

#include <algorithm>

namespace molecule::workspace {

using std::chrono::seconds;

awaitable<void> sleep_unless_suspended(Clock& clock, Clock::time_point deadline) {
  const Clock::duration before = clock.suspended();
  while (clock.now() < deadline) {
    const Clock::time_point look = std::min<Clock::time_point>(deadline, clock.now() + seconds(5));
    co_await sleep_until(clock, look);
    if (clock.suspended() - before > seconds(10)) co_return;
  }
}

}  // namespace molecule::workspace
