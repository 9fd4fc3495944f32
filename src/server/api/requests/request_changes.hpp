#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/result.hpp"
#include "server/api/context.hpp"
#include "server/api/requests/request_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// What can happen to a request (page.md 3), whichever route asks for it. Each change tells the
// agents concerned in their inbox, and everybody by events.

/// A request as its maker describes it: `id` and the times are filled in. Returns the row, which is
/// an earlier one if its idempotency key is known; or the refusal. The recipient has been checked.
awaitable<Result<RequestRow, Reply>> create_request(Context& context, RequestRow wanted);

/// Decides it: `action` is the status that it gets. Returns the refusal, if there is one.
awaitable<std::optional<Reply>> respond(Context& context, RequestRow row, Party actor,
                                        std::string action, std::string reason);

/// Adds a message to its thread. Returns the message's id, or the refusal.
awaitable<Result<std::string, Reply>> add_message(Context& context, RequestRow row, Party author,
                                                  std::string body);

/// Withdraws it. Returns the refusal, if there is one.
awaitable<std::optional<Reply>> cancel(Context& context, RequestRow row, Party actor);

/// Reminds agents that are online of requests to them, each at most once an hour.
awaitable<void> remind_of_requests(Context& context, std::int64_t now);

/// Withdraws permission prompts whose runtime no longer waits.
awaitable<void> expire_prompts(Context& context, std::int64_t now);

/// 404 for a request that is unknown, or closed where it would have to be open.
Reply no_request();

}  // namespace molecule::server
