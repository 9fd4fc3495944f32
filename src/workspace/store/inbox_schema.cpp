// The tables of `inbox.db`, and the way from each older version to this one.

#include <cstdint>
#include <string_view>

#include "base/sqlite.hpp"
#include "workspace/store/inbox_sql.hpp"

namespace molecule::workspace {

namespace {

/// "moli": tells our file from another program's.
constexpr std::int64_t application_id = 0x6D6F6C69;
constexpr std::int64_t schema_version = 4;
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

/// Version 2. Times and sessions are those of `Sessions`.
constexpr const char* leases_schema = R"sql(
  CREATE TABLE leases(
    seq INTEGER PRIMARY KEY REFERENCES messages(seq) ON DELETE CASCADE,
    session INTEGER NOT NULL,
    leased_at INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = 2;
)sql";

/// Version 3: the platform's numbers of the rows, 0 where there are none, and …
constexpr const char* sequence_schema = R"sql(
  ALTER TABLE messages ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX messages_sequence ON messages(sequence);
)sql";

/// … the tasks that messages answer. `told` is a message as it is given out.
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
  CREATE VIEW told AS
    SELECT m.seq, m.activity_id, m.text, m.peer_id, m.kind, m.method, m.created_at, m.peer_name,
      m.peer_role, m.agent_card_url, m.message_id,
      iif(t.task IS NULL AND m.kind != 'delegation_result', '', m.task_id) AS task_id,
      coalesce(t.task, '') AS task
    FROM messages m LEFT JOIN tasks t ON t.task_id = m.task_id AND t.peer_id = m.peer_id;
  PRAGMA user_version = 3;
)sql";

/// Version 4: what the sessions that are at work do.
constexpr const char* workloads_schema = R"sql(
  CREATE TABLE workloads(
    session INTEGER PRIMARY KEY,
    active_tasks INTEGER NOT NULL,
    current_task TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = 4;
)sql";

}  // namespace

std::int64_t number(sqlite::Database& database, std::string_view sql) {
  sqlite::Statement statement = database.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

namespace {

/// One that is as it should be is not locked for it: another process may be writing for long.
bool is_current(sqlite::Database& database) {
  return number(database, "PRAGMA application_id") == application_id &&
         number(database, "PRAGMA user_version") == schema_version;
}

}  // namespace

void migrate(sqlite::Database& database) {
  if (is_current(database)) return;
  sqlite::Transaction transaction(database);
  const std::int64_t version = number(database, "PRAGMA user_version");
  const std::int64_t owner = number(database, "PRAGMA application_id");
  const bool empty = number(database, "SELECT count(*) FROM sqlite_schema") == 0;
  const bool is_new = empty && version == 0;
  if (!is_new && owner != application_id) {
    throw sqlite::Error::refused("it is another program's database");
  }
  if (version > schema_version || (version < 1 && !is_new)) {
    throw sqlite::Error::refused("a newer version of molecule-mcp made it");
  }
  if (version == schema_version) return;
  if (is_new) database.execute(schema);
  if (version < 2) database.execute(leases_schema);
  if (version < 3) {
    database.execute(sequence_schema);
    database.execute(tasks_schema);
  }
  database.execute(workloads_schema);
  transaction.commit();
}

}  // namespace molecule::workspace
