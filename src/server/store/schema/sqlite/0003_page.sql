-- Logins of the page, requests between agents and the person, and what the page shows of a chat.

CREATE TABLE login_codes (
  hash TEXT PRIMARY KEY,              -- SHA-256 of the code, hexadecimal
  expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the cookie's value, hexadecimal
  user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT;

CREATE TABLE requests (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('task', 'approval')),
  requester_type TEXT NOT NULL CHECK (requester_type IN ('user', 'agent')),
  requester_id TEXT NOT NULL,         -- '' for the person, as below
  recipient_type TEXT NOT NULL CHECK (recipient_type IN ('user', 'agent')),
  recipient_id TEXT NOT NULL,
  title TEXT NOT NULL,
  detail TEXT,
  status TEXT NOT NULL,
  priority INTEGER,
  responder_type TEXT,
  responder_id TEXT,
  reason TEXT,
  prompt TEXT,                        -- a permission prompt's JSON
  idempotency_key TEXT,
  reminded_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  responded_at INTEGER
) STRICT;
CREATE INDEX requests_requester ON requests(requester_id, seq);
CREATE INDEX requests_recipient ON requests(recipient_id, seq);
CREATE INDEX requests_open ON requests(seq) WHERE status IN ('pending', 'info_requested');
CREATE UNIQUE INDEX requests_key ON requests(requester_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE request_messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  request_id TEXT NOT NULL REFERENCES requests(id) ON DELETE CASCADE,
  author_type TEXT NOT NULL,
  author_id TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX request_messages_request ON request_messages(request_id, seq);

-- Small facts of the platform as a whole, such as the page's viewport, as JSON.
CREATE TABLE platform_facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

ALTER TABLE workspaces ADD COLUMN fetched_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN chat_session_started_at INTEGER;
