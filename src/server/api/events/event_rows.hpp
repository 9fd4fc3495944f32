#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async/asio.hpp"
#include "server/api/events/events.hpp"
#include "server/store/database.hpp"

namespace molecule::server {

// How events reach other instances (platform-operation.md 3).

/// Writes events into the rows from which all instances read them, within the transaction of
/// what they tell of.
awaitable<void> share_events(store::Session& store, const std::vector<EventFrame>& frames);

/// The event as other instances get it without a row; empty if it is too long.
std::string encode_event(const EventFrame& frame);
std::optional<EventFrame> decode_event(std::string_view text);

}  // namespace molecule::server
