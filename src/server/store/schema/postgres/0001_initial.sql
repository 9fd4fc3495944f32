-- Times are microseconds since 1970. JSON is kept as minified text, so that it comes back as it was
-- sent. Texts that are compared or sorted are in byte order, as with SQLite.
-- Both extensions are trusted: the owner of the database may install them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

CREATE TABLE workspaces (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT COLLATE "C" NOT NULL,
  role TEXT,
  tier BIGINT NOT NULL DEFAULT 1,
  status TEXT NOT NULL,
  agent_card TEXT,
  url TEXT,
  parent_id TEXT COLLATE "C" REFERENCES workspaces(id),
  runtime TEXT NOT NULL DEFAULT 'langgraph',
  delivery_mode TEXT NOT NULL DEFAULT 'push' CHECK (delivery_mode IN ('push', 'poll')),
  last_heartbeat_at BIGINT,
  last_error_rate DOUBLE PRECISION NOT NULL DEFAULT 0,
  last_sample_error TEXT NOT NULL DEFAULT '',
  active_tasks BIGINT NOT NULL DEFAULT 0,
  max_concurrent_tasks BIGINT NOT NULL DEFAULT 1,
  uptime_seconds BIGINT NOT NULL DEFAULT 0,
  current_task TEXT NOT NULL DEFAULT '',
  monthly_spend BIGINT NOT NULL DEFAULT 0,
  budget_limit BIGINT,
  workspace_dir TEXT,
  workspace_access TEXT NOT NULL DEFAULT 'none',
  platform_inbound_secret TEXT,
  last_outbound_at BIGINT,
  last_acked_seq BIGINT NOT NULL DEFAULT 0,
  x DOUBLE PRECISION NOT NULL DEFAULT 0,
  y DOUBLE PRECISION NOT NULL DEFAULT 0,
  collapsed BOOLEAN NOT NULL DEFAULT FALSE,
  removed_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  broadcast_enabled BOOLEAN NOT NULL DEFAULT FALSE,
  talk_to_user_enabled BOOLEAN NOT NULL DEFAULT TRUE,
  can_delegate BOOLEAN NOT NULL DEFAULT TRUE,
  generation BIGINT NOT NULL DEFAULT 1,
  loaded_mcp_tools TEXT NOT NULL DEFAULT '[]',
  mcp_server_present BOOLEAN NOT NULL DEFAULT FALSE,
  config TEXT NOT NULL DEFAULT '{}',
  budget_hourly BIGINT,               -- cents; NULL is no limit, and the monthly one is budget_limit
  budget_daily BIGINT,
  budget_weekly BIGINT,
  fetched_seq BIGINT NOT NULL DEFAULT 0,
  chat_session_started_at BIGINT
) WITH (fillfactor = 60);
CREATE INDEX workspaces_parent ON workspaces(parent_id);

CREATE TABLE workspace_tokens (
  id TEXT COLLATE "C" PRIMARY KEY,
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  hash TEXT COLLATE "C" NOT NULL UNIQUE,  -- SHA-256 of the token, hexadecimal
  prefix TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);
CREATE INDEX workspace_tokens_workspace ON workspace_tokens(workspace_id);
CREATE INDEX workspace_tokens_revoked ON workspace_tokens(revoked_at)
  WHERE revoked_at IS NOT NULL;

CREATE TABLE org_tokens (
  id TEXT COLLATE "C" PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL UNIQUE,
  prefix TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT,
  revoked_at BIGINT
);

-- What a workspace spent in each hour since 1970, from the growth of its monthly_spend.
CREATE TABLE spend (
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  hour BIGINT NOT NULL,
  cents BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, hour)
);

-- What each workspace occupies. Triggers keep it, so that no writer can forget to.
CREATE TABLE workspace_usage (
  workspace_id TEXT COLLATE "C" PRIMARY KEY REFERENCES workspaces(id) ON DELETE CASCADE,
  messages BIGINT NOT NULL DEFAULT 0,
  message_bytes BIGINT NOT NULL DEFAULT 0,
  memories BIGINT NOT NULL DEFAULT 0,
  memory_bytes BIGINT NOT NULL DEFAULT 0,
  keys BIGINT NOT NULL DEFAULT 0,
  key_bytes BIGINT NOT NULL DEFAULT 0,
  files BIGINT NOT NULL DEFAULT 0,
  file_bytes BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
CREATE FUNCTION workspaces_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO workspace_usage(workspace_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER workspaces_added AFTER INSERT ON workspaces
  FOR EACH ROW EXECUTE FUNCTION workspaces_added();

CREATE SEQUENCE activity_numbers AS BIGINT;
CREATE TABLE activity (
  seq BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  activity_type TEXT NOT NULL,
  source_id TEXT COLLATE "C",
  target_id TEXT COLLATE "C",
  method TEXT,
  summary TEXT,
  request_body TEXT,
  response_body TEXT,
  tool_trace TEXT,
  duration_ms BIGINT,
  status TEXT NOT NULL DEFAULT 'ok',
  error_detail TEXT,
  message_id TEXT COLLATE "C",        -- a queued message's messageId, a 'delegate' row's delegation
  idempotency_key TEXT COLLATE "C",
  created_at BIGINT NOT NULL,
  bytes BIGINT NOT NULL DEFAULT 0     -- the size of the texts, so that quotas need not read them
);
CREATE INDEX activity_inbox ON activity(workspace_id, activity_type, seq);
CREATE INDEX activity_all ON activity(workspace_id, seq);
-- Of one sender only: two peers that count their messages 1, 2, 3 must not shadow each other.
CREATE UNIQUE INDEX activity_message
  ON activity(workspace_id, activity_type, message_id, coalesce(source_id, ''))
  WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX activity_idempotency
  ON activity(workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- What one sender has waiting in an inbox.
CREATE INDEX activity_sender ON activity(workspace_id, source_id, seq) INCLUDE (bytes)
  WHERE source_id IS NOT NULL;
-- The delegations that others made to a workspace.
CREATE INDEX activity_delegated ON activity(target_id, seq)
  WHERE activity_type = 'delegation' AND method = 'delegate';

-- A poller moves its cursor past every number that it has seen, so within a workspace no number may
-- be committed after a higher one: it is drawn under a lock of the workspace's own row, which is
-- held until the commit.
CREATE FUNCTION activity_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM workspace_usage WHERE workspace_id = NEW.workspace_id FOR NO KEY UPDATE;
  NEW.seq := nextval('activity_numbers');
  RETURN NEW;
END $$;
CREATE TRIGGER activity_number BEFORE INSERT ON activity
  FOR EACH ROW EXECUTE FUNCTION activity_number();
CREATE FUNCTION activity_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET messages = messages + 1, message_bytes = message_bytes + NEW.bytes
    WHERE workspace_id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER activity_added AFTER INSERT ON activity
  FOR EACH ROW EXECUTE FUNCTION activity_added();
CREATE FUNCTION activity_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET messages = messages - 1, message_bytes = message_bytes - OLD.bytes
    WHERE workspace_id = OLD.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER activity_deleted AFTER DELETE ON activity
  FOR EACH ROW EXECUTE FUNCTION activity_deleted();

CREATE TABLE events (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  event_type TEXT NOT NULL,
  workspace_id TEXT COLLATE "C",
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX events_workspace ON events(workspace_id, seq);

-- Words as they are, and stemmed ones; both without accents. What stands between punctuation is a
-- word, also where PostgreSQL would see an address or a path.
CREATE TEXT SEARCH CONFIGURATION molecule_words (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION molecule_words
  ALTER MAPPING FOR asciiword, word, numword WITH unaccent, simple;
CREATE TEXT SEARCH CONFIGURATION molecule_stems (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION molecule_stems
  ALTER MAPPING FOR asciiword, word WITH unaccent, english_stem;
CREATE FUNCTION molecule_plain(content TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT translate(content, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))
$$;
-- The words of a text; of one that has too many for an index (1 MB), of its beginning.
CREATE FUNCTION molecule_vector(config REGCONFIG, content TEXT) RETURNS TSVECTOR
  LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN to_tsvector(config, molecule_plain(content));
EXCEPTION WHEN program_limit_exceeded THEN
  RETURN to_tsvector(config, molecule_plain(left(content, 100000)));
END $$;

CREATE TABLE memories (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  content TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('LOCAL', 'TEAM', 'GLOBAL')),
  namespace TEXT NOT NULL DEFAULT 'general',
  created_at BIGINT NOT NULL,
  words TSVECTOR NOT NULL,
  stems TSVECTOR NOT NULL
);
CREATE INDEX memories_workspace ON memories(workspace_id, scope);
CREATE INDEX memories_words ON memories USING gin (words);
CREATE INDEX memories_stems ON memories USING gin (stems);
CREATE INDEX memories_parts ON memories USING gin (content gin_trgm_ops);
CREATE FUNCTION memories_indexed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.words := molecule_vector('molecule_words', NEW.content);
  NEW.stems := molecule_vector('molecule_stems', NEW.content);
  RETURN NEW;
END $$;
CREATE TRIGGER memories_indexed BEFORE INSERT OR UPDATE OF content ON memories
  FOR EACH ROW EXECUTE FUNCTION memories_indexed();
CREATE FUNCTION memories_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET memories = memories + 1,
    memory_bytes = memory_bytes + octet_length(NEW.content)
    WHERE workspace_id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER memories_added AFTER INSERT ON memories
  FOR EACH ROW EXECUTE FUNCTION memories_added();
CREATE FUNCTION memories_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET memories = memories - 1,
    memory_bytes = memory_bytes - octet_length(OLD.content)
    WHERE workspace_id = OLD.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER memories_deleted AFTER DELETE ON memories
  FOR EACH ROW EXECUTE FUNCTION memories_deleted();

CREATE TABLE workspace_memory (
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  key TEXT COLLATE "C" NOT NULL,
  value TEXT NOT NULL,
  version BIGINT NOT NULL DEFAULT 1,
  expires_at BIGINT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (workspace_id, key)
);
CREATE FUNCTION keys_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET keys = keys + 1,
    key_bytes = key_bytes + octet_length(NEW.key) + octet_length(NEW.value)
    WHERE workspace_id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER keys_added AFTER INSERT ON workspace_memory
  FOR EACH ROW EXECUTE FUNCTION keys_added();
CREATE FUNCTION keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET
    key_bytes = key_bytes + octet_length(NEW.value) - octet_length(OLD.value)
    WHERE workspace_id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER keys_changed AFTER UPDATE OF value ON workspace_memory
  FOR EACH ROW EXECUTE FUNCTION keys_changed();
CREATE FUNCTION keys_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET keys = keys - 1,
    key_bytes = key_bytes - octet_length(OLD.key) - octet_length(OLD.value)
    WHERE workspace_id = OLD.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER keys_deleted AFTER DELETE ON workspace_memory
  FOR EACH ROW EXECUTE FUNCTION keys_deleted();

CREATE TABLE pending_uploads (
  id TEXT COLLATE "C" PRIMARY KEY,    -- also the name of the file that has the bytes
  workspace_id TEXT COLLATE "C" NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  mime_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  acked_at BIGINT
);
CREATE INDEX pending_uploads_workspace ON pending_uploads(workspace_id);
CREATE FUNCTION uploads_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET files = files + 1, file_bytes = file_bytes + NEW.size
    WHERE workspace_id = NEW.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER uploads_added AFTER INSERT ON pending_uploads
  FOR EACH ROW EXECUTE FUNCTION uploads_added();
CREATE FUNCTION uploads_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE workspace_usage SET files = files - 1, file_bytes = file_bytes - OLD.size
    WHERE workspace_id = OLD.workspace_id;
  RETURN NULL;
END $$;
CREATE TRIGGER uploads_deleted AFTER DELETE ON pending_uploads
  FOR EACH ROW EXECUTE FUNCTION uploads_deleted();

CREATE TABLE login_codes (
  hash TEXT COLLATE "C" PRIMARY KEY,  -- SHA-256 of the code, hexadecimal
  expires_at BIGINT NOT NULL
);

CREATE TABLE sessions (
  id TEXT COLLATE "C" PRIMARY KEY,
  hash TEXT COLLATE "C" NOT NULL UNIQUE,  -- SHA-256 of the cookie's value, hexadecimal
  user_agent TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL
);

CREATE TABLE requests (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('task', 'approval')),
  requester_type TEXT NOT NULL CHECK (requester_type IN ('user', 'agent')),
  requester_id TEXT COLLATE "C" NOT NULL,  -- '' for the person, as below
  recipient_type TEXT NOT NULL CHECK (recipient_type IN ('user', 'agent')),
  recipient_id TEXT COLLATE "C" NOT NULL,
  title TEXT NOT NULL,
  detail TEXT,
  status TEXT NOT NULL,
  priority BIGINT,
  responder_type TEXT,
  responder_id TEXT,
  reason TEXT,
  prompt TEXT,                        -- a permission prompt's JSON
  idempotency_key TEXT COLLATE "C",
  reminded_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  responded_at BIGINT
);
CREATE INDEX requests_requester ON requests(requester_id, seq);
CREATE INDEX requests_recipient ON requests(recipient_id, seq);
CREATE INDEX requests_open ON requests(seq) WHERE status IN ('pending', 'info_requested');
CREATE UNIQUE INDEX requests_key ON requests(requester_id, idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE request_messages (
  seq BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  request_id TEXT COLLATE "C" NOT NULL REFERENCES requests(id) ON DELETE CASCADE,
  author_type TEXT NOT NULL,
  author_id TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX request_messages_request ON request_messages(request_id, seq);

-- Small facts of the platform as a whole, such as the page's viewport, as JSON.
CREATE TABLE platform_facts (
  name TEXT COLLATE "C" PRIMARY KEY,
  value TEXT NOT NULL
);

-- A text of a JSON object. NULL if there is none, and for what PostgreSQL cannot read as JSON, such
-- as an escaped NUL.
CREATE FUNCTION molecule_json_text(body TEXT, field TEXT) RETURNS TEXT
  LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CAST(body AS JSON) ->> field;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;
