#pragma once

#include <cstdint>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// One round of what the platform does by itself: workspaces that fell silent leave `online`
/// (2.6), and the last use of tokens is written. `listening_since` (micros): time before it does
/// not count as silence, so a restart of the platform takes nobody offline.
void sweep(Context& context, std::int64_t listening_since);

/// Sweeps every 15 s until cancelled. A failed round is logged, the next one tries again.
/// `context` must outlive the task.
awaitable<void> sweep_task(Context& context);

}  // namespace molecule::server
