#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "base/text/time.hpp"
#include "workspace/store/delivery.hpp"
#include "workspace/store/inbox/message.hpp"

namespace molecule::workspace {

// What the classes on `inbox.db` share. Everything here throws `sqlite::Error`.

/// `read_message` reads the first columns, `read_record` the ones from `record_column` on.
inline constexpr const char* select_messages =
    "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
    " m.peer_role, m.agent_card_url, m.message_id, m.task_id, m.task, m.seq, m.asked_by,"
    " coalesce(a.session, 0), coalesce(a.announced_at, 0), coalesce(l.session, 0),"
    " coalesce(l.given_at, 0), coalesce(l.leased_at, 0), m.hops"
    " FROM message_view m LEFT JOIN leases l ON l.seq = m.seq"
    " LEFT JOIN announcements a ON a.seq = m.seq ";
/// Rows that begin with the message's number, for decisions about many of them.
inline constexpr const char* select_records =
    "SELECT m.seq, m.asked_by, coalesce(a.session, 0), coalesce(a.announced_at, 0),"
    " coalesce(l.session, 0), coalesce(l.given_at, 0), coalesce(l.leased_at, 0)"
    " FROM message_view m LEFT JOIN leases l ON l.seq = m.seq"
    " LEFT JOIN announcements a ON a.seq = m.seq ";
inline constexpr int seq_column = 12;
inline constexpr int record_column = 13;
inline constexpr int hops_column = 19;
/// What a session is given first: answers to tasks, then the person, then peers; each oldest first.
inline constexpr const char* by_urgency =
    "ORDER BY CASE m.kind WHEN 'delegation_result' THEN 0 WHEN 'canvas_user' THEN 1"
    " WHEN 'request_update' THEN 1 ELSE 2 END,"
    " m.seq ";

/// The `sequence` of what is no row of the platform's.
inline constexpr std::int64_t no_sequence = std::numeric_limits<std::int64_t>::max();

/// A row of `select_messages`.
Message read_message(const sqlite::Statement& row);
/// What the row says of its message's delivery; `first` is the column of `asked_by`.
delivery::Record read_record(const sqlite::Statement& row, int first = record_column);

/// The first column of the first row; 0 without a row.
std::int64_t number(sqlite::Database& db, std::string_view sql);

// The table `state`: single values by name.
std::optional<std::string> state(sqlite::Database& db, std::string_view key);
std::optional<WallTime> time_state(sqlite::Database& db, std::string_view key);
void set_state(sqlite::Database& db, std::string_view key, std::string_view value);
void set_time(sqlite::Database& db, std::string_view key, WallTime time);
void clear_state(sqlite::Database& db, std::string_view key);

/// The session that owns the workspace; 0 if nobody does.
std::int64_t owner_of(sqlite::Database& db);
/// As `PollState::handled_sequence`.
std::int64_t handled_sequence(sqlite::Database& db);

/// Throws `StoreError` for a file that another program or a newer version made. Only reads.
void require_ours(sqlite::Database& db);

/// Makes the tables of a new file, and what an older version's lacks. Returns true if the file was
/// new. Throws as `require_ours`.
bool migrate(sqlite::Database& db);

}  // namespace molecule::workspace
