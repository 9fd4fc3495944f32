-- Times are microseconds since 1970. JSON is kept as minified text.
-- Stores made before versions were recorded have these tables already: IF NOT EXISTS adopts them.

CREATE TABLE IF NOT EXISTS workspaces (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT,
  tier INTEGER NOT NULL DEFAULT 1,
  status TEXT NOT NULL,
  agent_card TEXT,
  url TEXT,
  parent_id TEXT REFERENCES workspaces(id),
  runtime TEXT NOT NULL DEFAULT 'langgraph',
  delivery_mode TEXT NOT NULL DEFAULT 'push' CHECK (delivery_mode IN ('push', 'poll')),
  last_heartbeat_at INTEGER,
  last_error_rate REAL NOT NULL DEFAULT 0,
  last_sample_error TEXT NOT NULL DEFAULT '',
  active_tasks INTEGER NOT NULL DEFAULT 0,
  max_concurrent_tasks INTEGER NOT NULL DEFAULT 1,
  uptime_seconds INTEGER NOT NULL DEFAULT 0,
  current_task TEXT NOT NULL DEFAULT '',
  monthly_spend INTEGER NOT NULL DEFAULT 0,
  budget_limit INTEGER,
  workspace_dir TEXT,
  workspace_access TEXT NOT NULL DEFAULT 'none',
  platform_inbound_secret TEXT,
  last_outbound_at INTEGER,
  last_acked_seq INTEGER NOT NULL DEFAULT 0,
  x REAL NOT NULL DEFAULT 0,
  y REAL NOT NULL DEFAULT 0,
  collapsed INTEGER NOT NULL DEFAULT 0,
  removed_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS workspaces_parent ON workspaces(parent_id);

CREATE TABLE IF NOT EXISTS workspace_tokens (
  id TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the token, hexadecimal
  prefix TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS workspace_tokens_workspace ON workspace_tokens(workspace_id);

CREATE TABLE IF NOT EXISTS activity (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  activity_type TEXT NOT NULL,
  source_id TEXT,
  target_id TEXT,
  method TEXT,
  summary TEXT,
  request_body TEXT,
  response_body TEXT,
  tool_trace TEXT,
  duration_ms INTEGER,
  status TEXT NOT NULL DEFAULT 'ok',
  error_detail TEXT,
  message_id TEXT,                    -- a queued message's messageId, a 'delegate' row's delegation
  idempotency_key TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS activity_inbox ON activity(workspace_id, activity_type, seq);
CREATE INDEX IF NOT EXISTS activity_all ON activity(workspace_id, seq);
-- Of one sender only: two peers that count their messages 1, 2, 3 must not shadow each other.
CREATE UNIQUE INDEX IF NOT EXISTS activity_message
  ON activity(workspace_id, activity_type, message_id, ifnull(source_id, ''))
  WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS activity_idempotency
  ON activity(workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  event_type TEXT NOT NULL,
  workspace_id TEXT,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS events_workspace ON events(workspace_id, seq);

CREATE TABLE IF NOT EXISTS memories (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  content TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('LOCAL', 'TEAM', 'GLOBAL')),
  namespace TEXT NOT NULL DEFAULT 'general',
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS memories_workspace ON memories(workspace_id, scope);
CREATE VIRTUAL TABLE IF NOT EXISTS memories_text
  USING fts5(content, content='memories', content_rowid='seq', tokenize='porter unicode61');
CREATE TRIGGER IF NOT EXISTS memories_added AFTER INSERT ON memories BEGIN
  INSERT INTO memories_text(rowid, content) VALUES (new.seq, new.content);
END;
CREATE TRIGGER IF NOT EXISTS memories_deleted AFTER DELETE ON memories BEGIN
  INSERT INTO memories_text(memories_text, rowid, content) VALUES ('delete', old.seq, old.content);
END;

CREATE TABLE IF NOT EXISTS workspace_memory (
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  expires_at INTEGER,
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, key)
) STRICT;

CREATE TABLE IF NOT EXISTS pending_uploads (
  id TEXT PRIMARY KEY,                -- also the name of the file that has the bytes
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  acked_at INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS pending_uploads_workspace ON pending_uploads(workspace_id);
