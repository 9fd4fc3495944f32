#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"
#include "server/api/messages/activity_rows.hpp"
#include "server/http/message.hpp"

namespace molecule::server {

// Each refuses what would exceed a workspace's share (`Limits`), and counts the refusal. Nothing
// that a workspace was given is removed to make room, except rows that it has already handled.

/// A new row of `bytes` bytes for `workspace_id`. `sender` is the workspace that causes it; empty
/// for the person, whose messages always pass. 429 where the row would be a peer's message too many
/// in an inbox, or where the workspace's rows fill its share; older handled rows make room first.
awaitable<std::optional<Reply>> refuse_row(Context& context, std::string_view workspace_id,
                                           const std::optional<std::string>& sender,
                                           std::size_t bytes);

/// The same for a message, which may be a repeat of one that is here: that needs no room, and makes
/// none.
awaitable<std::optional<Reply>> refuse_message(Context& context, const Activity& row,
                                               const std::optional<std::string>& sender);

/// A memory of `bytes` bytes: 413.
awaitable<std::optional<Reply>> refuse_memory(Context& context, std::string_view workspace_id,
                                              std::size_t bytes);

/// `count` files of together `bytes` bytes: 413.
awaitable<std::optional<Reply>> refuse_files(Context& context, std::string_view workspace_id,
                                             std::int64_t count, std::int64_t bytes);

/// Growth of the keys and values by `bytes`: 413.
awaitable<std::optional<Reply>> refuse_keys(Context& context, std::string_view workspace_id,
                                            std::int64_t bytes);

/// "16 MiB", "512 KiB".
std::string in_units(std::int64_t bytes);

}  // namespace molecule::server
