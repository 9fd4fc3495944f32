#pragma once

#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// Everything that is measured, in the text format of Prometheus (platform-api.md 9.8). What
/// concerns the store's rows is left out while the store is away.
awaitable<std::string> metrics_text(Services& services);

}  // namespace molecule::server
