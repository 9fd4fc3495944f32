#pragma once

#include <asio/ip/address.hpp>
#include <optional>

#include "server/api/context.hpp"
#include "server/api/limits/request_rates.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// Requests whose sender showed no right credential count for the address that they come from
// (`Request::client`).

RequestRates::Verdict count_client(Services& services,
                                   const std::optional<asio::ip::address>& client);

/// The same for a request that has its reply, which becomes the 429 if the address has used up its
/// share.
RequestRates::Verdict count_refused(Services& services,
                                    const std::optional<asio::ip::address>& client, Reply& reply);

}  // namespace molecule::server
