-- The events of the last minutes, from which every instance of the platform reads them, its own
-- included. A reader asks for what is committed and was not when it last read: by transaction, because
-- numbers are drawn before they are committed.
CREATE TABLE shared_events (
  seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xact XID8 NOT NULL DEFAULT pg_current_xact_id(),
  event_type TEXT NOT NULL,
  workspace_id TEXT COLLATE "C" NOT NULL,
  payload TEXT NOT NULL,
  at BIGINT NOT NULL,
  written_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX shared_events_xact ON shared_events(xact);
