-- What the person grants a workspace, what its runtime reports, and its configuration (JSON).
ALTER TABLE workspaces ADD COLUMN broadcast_enabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN talk_to_user_enabled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN can_delegate INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN loaded_mcp_tools TEXT NOT NULL DEFAULT '[]';
ALTER TABLE workspaces ADD COLUMN mcp_server_present INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN config TEXT NOT NULL DEFAULT '{}';
-- Cents; NULL is no limit. The monthly one is budget_limit.
ALTER TABLE workspaces ADD COLUMN budget_hourly INTEGER;
ALTER TABLE workspaces ADD COLUMN budget_daily INTEGER;
ALTER TABLE workspaces ADD COLUMN budget_weekly INTEGER;

-- What a workspace spent in each hour since 1970, from the growth of its monthly_spend.
CREATE TABLE spend (
  workspace_id TEXT NOT NULL REFERENCES workspaces(id) ON DELETE CASCADE,
  hour INTEGER NOT NULL,
  cents INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, hour)
) STRICT;

CREATE TABLE org_tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,          -- SHA-256 of the token, hexadecimal
  prefix TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;

-- The size of a row's texts, so that quotas need not read them.
ALTER TABLE activity ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE activity SET bytes = 200 + coalesce(length(CAST(summary AS BLOB)), 0)
  + coalesce(length(CAST(request_body AS BLOB)), 0)
  + coalesce(length(CAST(response_body AS BLOB)), 0)
  + coalesce(length(CAST(tool_trace AS BLOB)), 0);
-- What one sender has waiting in an inbox.
CREATE INDEX activity_sender ON activity(workspace_id, source_id, seq, bytes)
  WHERE source_id IS NOT NULL;
-- The delegations that others made to a workspace.
CREATE INDEX activity_delegated ON activity(target_id, seq)
  WHERE activity_type = 'delegation' AND method = 'delegate';
CREATE INDEX workspace_tokens_revoked ON workspace_tokens(revoked_at)
  WHERE revoked_at IS NOT NULL;

-- What each workspace occupies. Triggers keep it, so that no writer can forget to.
CREATE TABLE workspace_usage (
  workspace_id TEXT PRIMARY KEY REFERENCES workspaces(id) ON DELETE CASCADE,
  messages INTEGER NOT NULL DEFAULT 0,
  message_bytes INTEGER NOT NULL DEFAULT 0,
  memories INTEGER NOT NULL DEFAULT 0,
  memory_bytes INTEGER NOT NULL DEFAULT 0,
  keys INTEGER NOT NULL DEFAULT 0,
  key_bytes INTEGER NOT NULL DEFAULT 0,
  files INTEGER NOT NULL DEFAULT 0,
  file_bytes INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO workspace_usage
  SELECT w.id,
    (SELECT count(*) FROM activity a WHERE a.workspace_id = w.id),
    (SELECT coalesce(sum(a.bytes), 0) FROM activity a WHERE a.workspace_id = w.id),
    (SELECT count(*) FROM memories m WHERE m.workspace_id = w.id),
    (SELECT coalesce(sum(length(CAST(m.content AS BLOB))), 0) FROM memories m
      WHERE m.workspace_id = w.id),
    (SELECT count(*) FROM workspace_memory k WHERE k.workspace_id = w.id),
    (SELECT coalesce(sum(length(CAST(k.key AS BLOB)) + length(CAST(k.value AS BLOB))), 0)
      FROM workspace_memory k WHERE k.workspace_id = w.id),
    (SELECT count(*) FROM pending_uploads u WHERE u.workspace_id = w.id),
    (SELECT coalesce(sum(u.size), 0) FROM pending_uploads u WHERE u.workspace_id = w.id)
  FROM workspaces w;
CREATE TRIGGER workspaces_added AFTER INSERT ON workspaces BEGIN
  INSERT INTO workspace_usage(workspace_id) VALUES (new.id);
END;
CREATE TRIGGER activity_added AFTER INSERT ON activity BEGIN
  UPDATE workspace_usage SET messages = messages + 1, message_bytes = message_bytes + new.bytes
    WHERE workspace_id = new.workspace_id;
END;
CREATE TRIGGER activity_deleted AFTER DELETE ON activity BEGIN
  UPDATE workspace_usage SET messages = messages - 1, message_bytes = message_bytes - old.bytes
    WHERE workspace_id = old.workspace_id;
END;
CREATE TRIGGER keys_added AFTER INSERT ON workspace_memory BEGIN
  UPDATE workspace_usage SET keys = keys + 1,
    key_bytes = key_bytes + length(CAST(new.key AS BLOB)) + length(CAST(new.value AS BLOB))
    WHERE workspace_id = new.workspace_id;
END;
CREATE TRIGGER keys_changed AFTER UPDATE OF value ON workspace_memory BEGIN
  UPDATE workspace_usage SET
    key_bytes = key_bytes + length(CAST(new.value AS BLOB)) - length(CAST(old.value AS BLOB))
    WHERE workspace_id = new.workspace_id;
END;
CREATE TRIGGER keys_deleted AFTER DELETE ON workspace_memory BEGIN
  UPDATE workspace_usage SET keys = keys - 1,
    key_bytes = key_bytes - length(CAST(old.key AS BLOB)) - length(CAST(old.value AS BLOB))
    WHERE workspace_id = old.workspace_id;
END;
CREATE TRIGGER uploads_added AFTER INSERT ON pending_uploads BEGIN
  UPDATE workspace_usage SET files = files + 1, file_bytes = file_bytes + new.size
    WHERE workspace_id = new.workspace_id;
END;
CREATE TRIGGER uploads_deleted AFTER DELETE ON pending_uploads BEGIN
  UPDATE workspace_usage SET files = files - 1, file_bytes = file_bytes - old.size
    WHERE workspace_id = old.workspace_id;
END;

-- Full text three times: stemmed words, beginnings of words, and parts of texts without spaces.
DROP TRIGGER memories_added;
DROP TRIGGER memories_deleted;
DROP TABLE memories_text;
CREATE VIRTUAL TABLE memories_text USING fts5(content, content='memories', content_rowid='seq',
  tokenize='porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE memories_words USING fts5(content, content='memories', content_rowid='seq',
  tokenize='unicode61 remove_diacritics 2', prefix='2 3 4');
CREATE VIRTUAL TABLE memories_parts USING fts5(content, content='memories', content_rowid='seq',
  tokenize='trigram');
INSERT INTO memories_text(memories_text) VALUES ('rebuild');
INSERT INTO memories_words(memories_words) VALUES ('rebuild');
INSERT INTO memories_parts(memories_parts) VALUES ('rebuild');
CREATE TRIGGER memories_added AFTER INSERT ON memories BEGIN
  INSERT INTO memories_text(rowid, content) VALUES (new.seq, new.content);
  INSERT INTO memories_words(rowid, content) VALUES (new.seq, new.content);
  INSERT INTO memories_parts(rowid, content) VALUES (new.seq, new.content);
  UPDATE workspace_usage SET memories = memories + 1,
    memory_bytes = memory_bytes + length(CAST(new.content AS BLOB))
    WHERE workspace_id = new.workspace_id;
END;
CREATE TRIGGER memories_deleted AFTER DELETE ON memories BEGIN
  INSERT INTO memories_text(memories_text, rowid, content) VALUES ('delete', old.seq, old.content);
  INSERT INTO memories_words(memories_words, rowid, content) VALUES ('delete', old.seq, old.content);
  INSERT INTO memories_parts(memories_parts, rowid, content) VALUES ('delete', old.seq, old.content);
  UPDATE workspace_usage SET memories = memories - 1,
    memory_bytes = memory_bytes - length(CAST(old.content AS BLOB))
    WHERE workspace_id = old.workspace_id;
END;
