#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Delivers a message to a workspace (platform-api.md 3.2 to 3.5) and returns the reply to its
/// sender. `caller` is a workspace, or empty for the user; `target_id` is in lower case. Refusals,
/// in this order and before anything is written: 403 no permission (or, from a workspace, no such
/// target), 404, 410 removed (the message would never be read), 402 budget, 400 envelope or a
/// method reserved for the platform's own rows, 502 and 503 for a target that does not poll. A
/// message that the same sender repeats gets the same reply and leaves no second row
/// (platform-api.md 10).
awaitable<Reply> deliver(Context& context, const std::optional<std::string>& caller,
                         std::string_view target_id, std::string_view body);

}  // namespace molecule::server
