#pragma once

#include <memory>

#include "daemon/runners/runner.hpp"
#include "net/http_client.hpp"

namespace molecule::daemon {

/// Posts the message to the settings' URL, signed where they name a secret, and reads the answer
/// from the response: 200 with `{"text":…}` or text, 202 where the receiver answers by itself.
awaitable<TurnResult> call_webhook(net::HttpClient& http, std::shared_ptr<const Turn> turn);

}  // namespace molecule::daemon
