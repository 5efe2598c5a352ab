-- Messages can be removed (removal.ts). What was removed stays known for a while, so that a late delivery of it is a duplicate: hash is
-- of its message_id (src/storage/removed.ts), day is that of the removal, in days since 1970.
CREATE TABLE removed_ids (
  hash BLOB PRIMARY KEY,
  day  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX removed_ids_by_day ON removed_ids (day);

-- busiest_senders holds at least the ten senders that come first, and as many as there are down to the one named here, or all senders
-- where none is named: when one of them has messages removed, it is known who comes next.
CREATE TABLE busiest_floor (
  msisdn TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO busiest_floor
SELECT msisdn, count FROM busiest_senders WHERE (SELECT count(*) FROM busiest_senders) = 10 ORDER BY count, msisdn DESC LIMIT 1;

-- What no message could be read from gets too old as well.
CREATE INDEX unread_items_by_receipt ON unread_items (received_at);
