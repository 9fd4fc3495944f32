#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "base/async/clock.hpp"
#include "workspace/config/timing.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

/// The result of `action`; empty if another process is writing and this is not the last attempt.
template <class Action>
std::optional<std::invoke_result_t<Action&>> unless_busy(Action& action, bool last) {
  try {
    return std::optional<std::invoke_result_t<Action&>>(std::in_place, action());
  } catch (const StoreError& error) {
    if (last || !error.busy()) throw;
    return std::nullopt;
  }
}

/// Runs `action`, which must not wait for locks of databases (`FailFast`), and returns its result.
/// While another process writes, retries on a timer as `Database` describes; after that, throws
/// `StoreError`.
template <class Action>
awaitable<std::invoke_result_t<Action&>> retry_while_busy(Clock& clock, const Timing& timing,
                                                          Action action) {
  const Clock::time_point deadline = clock.now() + timing.store_patience;
  while (true) {
    auto result = unless_busy(action, clock.now() >= deadline);
    if (result) co_return std::move(*result);
    co_await sleep_for(clock, timing.store_retry);
  }
}

}  // namespace molecule::workspace
