#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

/// Gives a message to a workspace (platform-api.md 3.2 to 3.5) and returns the reply to its sender.
/// `caller` is a workspace, or nothing for the user; `target_id` in lower case. Refusals, in this
/// order, before anything is written: 403 no right (or, for a workspace, no such target), 404, 410
/// removed (nobody would ever read it), 402 budget, 400 envelope or a method by which the platform
/// marks rows of its own (nobody may forge those), 502 and 503 for a target that does not poll. The
/// same message from the same sender again is answered like the first time and leaves no second row
/// (platform-api.md 10).
awaitable<Reply> deliver(Context& context, const std::optional<std::string>& caller,
                         std::string_view target_id, std::string_view body);

}  // namespace molecule::server
