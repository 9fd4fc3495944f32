#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "base/async/clock.hpp"
#include "base/sqlite.hpp"
#include "tools/tools.hpp"

namespace molecule::tools {

/// Nothing where another process is writing to what `action` needs, and there is another try.
template <class Action>
std::optional<std::invoke_result_t<Action&>> unless_busy(Action& action, bool last) {
  try {
    return std::optional<std::invoke_result_t<Action&>>(std::in_place, action());
  } catch (const sqlite::Error& error) {
    if (last || !error.busy()) throw;
    return std::nullopt;
  }
}

/// What `action` gives, which uses an inbox and does not wait for its lock: the one way in which
/// calls do that. While another process writes it is tried again for some seconds, so that neither
/// this call fails nor another one waits. Throws `sqlite::Error` after that.
template <class Action>
awaitable<std::invoke_result_t<Action&>> when_free(Services& services, Action action) {
  const Clock::time_point deadline = services.clock.now() + workspace::Workspaces::busy_patience;
  while (true) {
    auto result = unless_busy(action, services.clock.now() >= deadline);
    if (result) co_return std::move(*result);
    co_await sleep_for(services.clock, workspace::Workspaces::busy_pause);
  }
}

}  // namespace molecule::tools
