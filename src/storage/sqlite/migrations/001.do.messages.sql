-- seq is the order of commits, and stable: an implicit rowid may change on VACUUM.
-- moment sorts as time (src/timestamp.ts); it is computed from ts, and stored only in indexes.
-- text_folded is the text as search sees it (src/fold.ts).
CREATE TABLE messages (
  message_id  TEXT NOT NULL PRIMARY KEY,
  from_msisdn TEXT NOT NULL,
  to_msisdn   TEXT NOT NULL,
  ts          TEXT NOT NULL,
  text        TEXT,
  created_at  TEXT NOT NULL,
  seq         INTEGER NOT NULL UNIQUE,
  text_folded TEXT,
  moment      TEXT NOT NULL GENERATED ALWAYS AS (rtrim(ts, 'Z')) VIRTUAL
);
