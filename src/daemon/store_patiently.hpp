#pragma once

#include <string_view>

#include "base/async/clock.hpp"
#include "base/log.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::daemon {

/// Runs `action` on an inbox, again as long as another process writes to it. False if it failed,
/// which is logged: what was not written is done again after a restart, and nothing is lost by it.
template <class Action>
awaitable<bool> store_patiently(Clock& clock, const workspace::Timing& timing, Action action,
                                std::string_view what) {
  const Clock::time_point deadline = clock.now() + timing.store_patience;
  while (true) {
    bool again = false;
    try {
      action();
      co_return true;
    } catch (const workspace::StoreError& error) {
      again = error.busy() && clock.now() < deadline;
      if (!again) log::warning("inbox: {} could not be stored: {}", what, error.what());
    }
    if (!again) co_return false;
    co_await sleep_for(clock, timing.store_retry);
  }
}

}  // namespace molecule::daemon
