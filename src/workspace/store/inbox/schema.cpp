// The tables of `inbox.db`, and the migration from each older version to this one.

#include <cstdint>
#include <string_view>

#include "base/sqlite/sqlite.hpp"
#include "workspace/store/inbox/sql.hpp"
#include "workspace/store/store_error.hpp"

namespace molecule::workspace {

namespace {

/// "moli": tells our file from another program's.
constexpr std::int64_t application_id = 0x6D6F6C69;
constexpr std::int64_t schema_version = 7;

/// Version 1. `popped` has the ids of removed messages.
constexpr const char* schema = R"sql(
  CREATE TABLE messages(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    activity_id TEXT NOT NULL COLLATE NOCASE UNIQUE,
    text TEXT NOT NULL,
    peer_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT NOT NULL,
    created_at TEXT NOT NULL,
    peer_name TEXT NOT NULL,
    peer_role TEXT NOT NULL
  ) STRICT;
  CREATE TABLE popped(
    activity_id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    popped_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX popped_at ON popped(popped_at);
  CREATE TABLE state(key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA application_id = 0x6D6F6C69;
)sql";

/// Version 2: which session has which message. Times and sessions are those of `Sessions`.
constexpr const char* leases_schema = R"sql(
  CREATE TABLE leases(
    seq INTEGER PRIMARY KEY REFERENCES messages(seq) ON DELETE CASCADE,
    session INTEGER NOT NULL,
    leased_at INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = 2;
)sql";

/// Version 3: the platform's row numbers (0: none), and …
constexpr const char* sequence_schema = R"sql(
  ALTER TABLE messages ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_sequence ON messages(sequence);
)sql";

/// … the tasks that messages answer.
constexpr const char* tasks_schema = R"sql(
  ALTER TABLE messages ADD COLUMN agent_card_url TEXT NOT NULL DEFAULT '';
  ALTER TABLE messages ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
  ALTER TABLE messages ADD COLUMN task_id TEXT NOT NULL DEFAULT '';
  CREATE TABLE tasks(
    task_id TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    peer_id TEXT NOT NULL,
    task TEXT NOT NULL,
    sent_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 3;
)sql";

/// Version 4: what the sessions are working on.
constexpr const char* workloads_schema = R"sql(
  CREATE TABLE workloads(
    session INTEGER PRIMARY KEY,
    active_tasks INTEGER NOT NULL,
    current_task TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = 4;
)sql";

/// Version 5: `message_view` is a message as it is given out. Older files have the same view as
/// `told`; it stays for processes of an older version that have the file open.
constexpr const char* view_schema = R"sql(
  CREATE VIEW message_view AS
    SELECT m.seq, m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,
      m.peer_role, m.agent_card_url, m.message_id,
      iif(t.task IS NULL AND m.kind != 'delegation_result', '', m.task_id) AS task_id,
      coalesce(t.task, '') AS task
    FROM messages m LEFT JOIN tasks t ON t.task_id = m.task_id AND t.peer_id = m.peer_id;
  PRAGMA user_version = 5;
)sql";

/// Version 6: when a message was given to the session that has it; which session was pushed it; and
/// which session asked for what a message answers (0: one that has ended). What answers a task is a
/// `delegation_result`, whichever way it came. Of a late answer that this program stored itself,
/// `sequence` is `no_sequence`.
constexpr const char* delivery_schema = R"sql(
  ALTER TABLE leases ADD COLUMN given_at INTEGER NOT NULL DEFAULT 0;
  UPDATE leases SET given_at = leased_at;
  CREATE TABLE announcements(
    seq INTEGER PRIMARY KEY REFERENCES messages(seq) ON DELETE CASCADE,
    session INTEGER NOT NULL,
    announced_at INTEGER NOT NULL
  ) STRICT;
  ALTER TABLE tasks ADD COLUMN session INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tasks ADD COLUMN answered INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_task ON messages(task_id) WHERE task_id != '';
  DROP VIEW message_view;
  CREATE VIEW message_view AS
    SELECT m.seq, m.activity_id, m.text, m.peer_id,
      iif(t.task_id IS NULL, m.kind, 'delegation_result') AS kind, m.method, m.created_at,
      m.peer_name, m.peer_role, m.agent_card_url, m.message_id,
      iif(t.task IS NULL AND m.kind != 'delegation_result', '', m.task_id) AS task_id,
      coalesce(t.task, '') AS task, coalesce(t.session, 0) AS asked_by
    FROM messages m LEFT JOIN tasks t ON t.task_id = m.task_id AND t.peer_id = m.peer_id;
  PRAGMA user_version = 6;
)sql";

/// Version 7: what the daemon knows of its handlers (`HandlerTurns`), and how many agents a chain
/// of messages has passed (-1: unknown). Times are of the calendar, costs millionths of a dollar.
constexpr const char* handlers_schema = R"sql(
  ALTER TABLE messages ADD COLUMN hops INTEGER NOT NULL DEFAULT -1;
  ALTER TABLE tasks ADD COLUMN conversation TEXT NOT NULL DEFAULT '';
  CREATE TABLE turns(
    seq INTEGER PRIMARY KEY REFERENCES messages(seq) ON DELETE CASCADE,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try INTEGER NOT NULL DEFAULT 0,
    set_aside INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    answer TEXT
  ) STRICT;
  CREATE TABLE conversations(
    conversation TEXT NOT NULL,
    runner TEXT NOT NULL,
    session TEXT NOT NULL,
    working_directory TEXT NOT NULL,
    PRIMARY KEY(conversation, runner)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE turn_log(
    turn INTEGER PRIMARY KEY,
    began_at INTEGER NOT NULL,
    peer TEXT NOT NULL,
    cost INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX turn_log_began_at ON turn_log(began_at);
  CREATE TABLE pairs(
    peer TEXT NOT NULL PRIMARY KEY,
    automatic INTEGER NOT NULL,
    paused_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE handlers(
    process INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    mark TEXT NOT NULL,
    session INTEGER NOT NULL
  ) STRICT;
  DROP VIEW message_view;
  CREATE VIEW message_view AS
    SELECT m.seq, m.activity_id, m.text, m.peer_id,
      iif(t.task_id IS NULL, m.kind, 'delegation_result') AS kind, m.method, m.created_at,
      m.peer_name, m.peer_role, m.agent_card_url, m.message_id,
      iif(t.task IS NULL AND m.kind != 'delegation_result', '', m.task_id) AS task_id,
      coalesce(t.task, '') AS task, coalesce(t.session, 0) AS asked_by, m.hops
    FROM messages m LEFT JOIN tasks t ON t.task_id = m.task_id AND t.peer_id = m.peer_id;
  PRAGMA user_version = 7;
)sql";

/// Asked before any lock is taken: another process may be writing for long.
bool is_current(sqlite::Database& db) {
  return number(db, "PRAGMA application_id") == application_id &&
         number(db, "PRAGMA user_version") == schema_version;
}

bool is_empty(sqlite::Database& db) {
  return number(db, "PRAGMA user_version") == 0 &&
         number(db, "SELECT count(*) FROM sqlite_schema") == 0;
}

}  // namespace

void require_ours(sqlite::Database& db) {
  if (is_current(db) || is_empty(db)) return;
  const std::int64_t version = number(db, "PRAGMA user_version");
  if (number(db, "PRAGMA application_id") != application_id) {
    throw StoreError(StoreError::Kind::not_ours, "it is another program's database");
  }
  if (version > schema_version || version < 1) {
    throw StoreError(StoreError::Kind::newer, "a newer version of molecule-mcp made it");
  }
}

bool migrate(sqlite::Database& db) {
  if (is_current(db)) return false;
  sqlite::Transaction transaction(db);
  require_ours(db);
  const bool is_new = is_empty(db);
  const std::int64_t version = number(db, "PRAGMA user_version");
  if (version == schema_version) return false;
  if (is_new) db.execute(schema);
  if (version < 2) db.execute(leases_schema);
  if (version < 3) {
    db.execute(sequence_schema);
    db.execute(tasks_schema);
  }
  if (version < 4) db.execute(workloads_schema);
  if (version < 5) db.execute(view_schema);
  if (version < 6) db.execute(delivery_schema);
  db.execute(handlers_schema);
  transaction.commit();
  return is_new;
}

}  // namespace molecule::workspace
