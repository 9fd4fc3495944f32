#pragma once

#include <chrono>

#include "base/async/asio.hpp"
#include "server/store/postgres/connection/libpq_api.hpp"
#include "server/store/postgres/connection/store_url.hpp"

namespace molecule::server::store::postgres {

/// Connects without blocking the loop: names are resolved by Asio, as libpq would block for it.
/// Throws `StoreError` (unavailable) if it does not succeed until `give_up`.
awaitable<ConnectionPtr> connect(Parameters parameters,
                                 std::chrono::steady_clock::time_point give_up);

/// The same at the program's start, when there is nothing that could be held up.
ConnectionPtr connect_now(const Parameters& parameters);

}  // namespace molecule::server::store::postgres
