#pragma once

#include "molecule/base/sqlite.hpp"
#include "molecule/workspace/inbox.hpp"

namespace molecule::workspace {

/// The view that `read_message` reads, and its columns.
inline constexpr const char* select_told =
    "SELECT m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,"
    " m.peer_role, m.agent_card_url, m.message_id, m.task_id, m.task, m.seq FROM told m ";

/// A row of `select_told`.
Message read_message(const sqlite::Statement& row);

}  // namespace molecule::workspace
