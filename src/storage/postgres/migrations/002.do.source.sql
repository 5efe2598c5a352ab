-- How a message came in. Rows from before are all of POST /webhook, as most are: they are in no index of sources.
ALTER TABLE messages
  ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'webhook',
  ADD COLUMN type   text COLLATE "C",
  ADD COLUMN raw    text COLLATE "C";

CREATE INDEX messages_by_source ON messages (source, moment, message_id) WHERE source <> 'webhook';

ALTER TABLE uncounted ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'webhook';

CREATE TABLE sources (
  source text COLLATE "C" PRIMARY KEY,
  count  bigint NOT NULL
);

INSERT INTO sources SELECT 'webhook', count FROM totals WHERE name = 'messages';

-- Items of deliveries that no message could be read from. digest is the SHA-256 of source, a newline and raw.
CREATE TABLE unread_items (
  digest      text COLLATE "C" PRIMARY KEY,
  source      text COLLATE "C" NOT NULL,
  raw         text COLLATE "C" NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now()
);
