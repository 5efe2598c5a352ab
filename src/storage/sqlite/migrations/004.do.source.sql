-- How a message came in. Rows from before are all of POST /webhook, as most are: their origin takes no room, and no index.
ALTER TABLE messages ADD COLUMN source TEXT NOT NULL DEFAULT 'webhook';
ALTER TABLE messages ADD COLUMN type TEXT;
ALTER TABLE messages ADD COLUMN raw TEXT;

CREATE INDEX messages_by_source ON messages (source, moment, message_id) WHERE listed = 1 AND source <> 'webhook';

-- Counts what is listed, as the other counters do.
CREATE TABLE sources (
  source TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO sources SELECT 'webhook', count FROM totals WHERE name = 'messages';

-- Items of deliveries that no message could be read from. digest is the SHA-256 of source, a newline and raw.
CREATE TABLE unread_items (
  digest      TEXT PRIMARY KEY,
  source      TEXT NOT NULL,
  raw         TEXT NOT NULL,
  received_at TEXT NOT NULL
);
