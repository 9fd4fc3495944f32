#pragma once

#include <cstdint>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// One round of the platform's own work, most of which only one of several instances does: silent
/// workspaces leave `online` (platform-api.md 2.6), expired uploads are removed, and the last use
/// of tokens is written. `listening_since` (micros): time before it does not count as silence, so a
/// restart of the platform takes nobody offline. Throws `StoreError`.
awaitable<void> sweep(Services& services, std::int64_t listening_since);

/// Deletes what is older than `Limits` keeps it, at the start and every hour, until cancelled.
awaitable<void> retention_task(Services& services);

/// Lets the store do its housekeeping while it is idle, until cancelled.
awaitable<void> store_task(Services& services);

/// Sweeps every 15 s until cancelled. A failed round is logged, and the next one tries again.
/// `services` must outlive the task.
awaitable<void> sweep_task(Services& services);

}  // namespace molecule::server
