#pragma once

#include <optional>
#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/requests/request_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// The calls on one request, which agents (page.md 3.2) and the person (3.3) share. `row` is empty
// for a request that does not exist.

/// `{action, message?}`
awaitable<Reply> answer_respond(Context& context, std::optional<RequestRow> row, Party actor,
                                Request request);
/// `{body}`
awaitable<Reply> answer_message(Context& context, std::optional<RequestRow> row, Party author,
                                Request request);
awaitable<Reply> answer_cancel(Context& context, std::optional<RequestRow> row, Party actor);

}  // namespace molecule::server
