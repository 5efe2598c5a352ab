-- Messages can be removed (removal.ts). What was removed stays known for a while, so that a late delivery of it is a duplicate: hash is
-- of its message_id (src/storage/removed.ts), day is that of the removal, in days since 1970.
CREATE TABLE removed_ids (
  hash bytea PRIMARY KEY,
  day  integer NOT NULL
);

CREATE INDEX removed_ids_by_day ON removed_ids (day);

-- What no message could be read from gets too old as well.
CREATE INDEX unread_items_by_receipt ON unread_items (received_at);
