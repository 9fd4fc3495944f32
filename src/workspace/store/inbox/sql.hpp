#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/sqlite.hpp"
#include "base/text/time.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::workspace {

// What the classes on `inbox.db` share. Everything here throws `sqlite::Error`.

/// The view that `read_message` reads; its last two columns say which session has the message, and
/// since when.
inline constexpr const char* select_messages =
    "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
    " m.peer_role, m.agent_card_url, m.message_id, m.task_id, m.task, l.session, l.leased_at"
    " FROM message_view m LEFT JOIN leases l ON l.seq = m.seq ";
inline constexpr int session_column = 12;
inline constexpr int leased_at_column = 13;

/// The condition of what may be given to session ?1.
inline constexpr const char* available = "(l.session IS NULL OR l.session = ?1) ";

/// A row of `select_messages`.
Message read_message(const sqlite::Statement& row);

/// The first column of the first row; 0 without a row.
std::int64_t number(sqlite::Database& db, std::string_view sql);

// The table `state`: single values by name.
std::optional<std::string> state(sqlite::Database& db, std::string_view key);
std::optional<WallTime> time_state(sqlite::Database& db, std::string_view key);
void set_state(sqlite::Database& db, std::string_view key, std::string_view value);
void set_time(sqlite::Database& db, std::string_view key, WallTime time);
void clear_state(sqlite::Database& db, std::string_view key);

/// Makes the tables of a new file, and what an older version's lacks. Returns true if the file was
/// new. Throws `StoreError` for a file that another program or a newer version made.
bool migrate(sqlite::Database& db);

}  // namespace molecule::workspace
