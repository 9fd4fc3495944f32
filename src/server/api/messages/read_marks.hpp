#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "base/async/asio.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

// How far an agent has come with its inbox (page.md 2.4).

/// The agent has been handed every row up to `seq`. Tells the listeners at once; the store learns
/// it from the next sweep, so that reading an inbox does not write.
awaitable<void> note_handed_out(Context& context, std::string workspace_id, std::int64_t seq);

/// Writes how far these workspaces have come.
awaitable<void> write_read_marks(Context& context, const std::set<std::string>& workspaces);

}  // namespace molecule::server
