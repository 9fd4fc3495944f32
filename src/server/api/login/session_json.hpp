#pragma once

#include <string>
#include <string_view>

#include "base/async/asio.hpp"
#include "base/json/writer.hpp"
#include "server/api/context.hpp"

namespace molecule::server {

/// The columns of `sessions` that `write_session_row` reads.
inline constexpr const char* session_columns =
    "SELECT id, created_at, last_used_at, user_agent FROM sessions";

/// Writes one session (page.md 1.6); `current` is the id of the caller's own.
void write_session_row(json::Object& out, const store::Row& row, std::string_view current);

/// The same for the session with that id, which must exist.
awaitable<void> write_session(Context& context, json::Object& out, std::string id,
                              std::string current);

}  // namespace molecule::server
