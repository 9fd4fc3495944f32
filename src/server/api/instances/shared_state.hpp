#pragma once

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/instances/shared_events.hpp"

namespace molecule::server {

// What one instance keeps in memory and others have to know (platform-operation.md 3.2).

/// Takes what other instances tell: events, how far agents have come, and what counts against
/// limits. `services` and `events` must live as long as the instances are heard.
void hear_instances(Services& services, SharedEvents& events);

/// Tells others every second which tokens and addresses come near their limit, until cancelled.
awaitable<void> tell_rates(Services& services);

}  // namespace molecule::server
