#pragma once

#include <type_traits>
#include <utility>

#include "tools/tools.hpp"
#include "workspace/store/retry_while_busy.hpp"

namespace molecule::tools {

/// How every call uses an inbox (`workspace::Database` states the policy).
template <class Action>
awaitable<std::invoke_result_t<Action&>> retry_while_busy(Services& services, Action action) {
  return workspace::retry_while_busy(services.clock, services.config.timing, std::move(action));
}

}  // namespace molecule::tools
