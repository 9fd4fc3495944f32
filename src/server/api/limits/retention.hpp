#pragma once

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// One round of retention (platform-api.md 9.6): deletes the rows of activity that are older than
/// `message_days`, or older than `acked_days` and acknowledged, events older than `event_days`,
/// and tokens that were revoked `message_days` ago. Works in small transactions with turns of the
/// loop in between, so that requests never wait for it. Throws `StoreError`.
awaitable<void> delete_old_rows(Services& services);

}  // namespace molecule::server
