#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/sqlite.hpp"
#include "workspace/store/inbox.hpp"

namespace molecule::workspace {

/// The loop stands still while another process writes; it writes for milliseconds.
inline constexpr std::chrono::milliseconds busy_timeout{250};

/// The platform deletes rows after 30 days at the latest (platform-api.md 10).
inline constexpr std::chrono::days popped_kept{35};

/// The view that `read_message` reads, and its columns; after them who has the message.
inline constexpr const char* select_told =
    "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
    " m.peer_role, m.agent_card_url, m.message_id, m.task_id, m.task, l.session, l.leased_at"
    " FROM told m LEFT JOIN leases l ON l.seq = m.seq ";

/// The condition of what may be given to session ?1.
inline constexpr const char* available = "(l.session IS NULL OR l.session = ?1) ";

/// The first column of the first row, 0 where there is none.
std::int64_t number(sqlite::Database& database, std::string_view sql);

/// Makes the tables of a new file, and what an older version's lacks; refuses one that is not ours
/// to write to.
void migrate(sqlite::Database& database);

/// A row of `select_told`.
Message read_message(const sqlite::Statement& row);

}  // namespace molecule::workspace
