-- What lists and totals are made from, so that nothing has to sort or count rows. None of it changes in the transaction
-- that stores a message: a writer lists messages behind it, many at a time (listing.ts), since an index entry or a
-- counter for each message by itself would cost several times what the message does. Messages up to totals.listed are
-- in all of it; the few behind, the tail, are read from the table by every question. So answers are always exact.

ALTER TABLE messages ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;

CREATE INDEX messages_by_moment ON messages (moment, message_id) WHERE listed = 1;
CREATE INDEX messages_by_sender ON messages (from_msisdn, moment, message_id) WHERE listed = 1;
CREATE INDEX messages_by_recipient ON messages (to_msisdn, moment, message_id) WHERE listed = 1;

-- 'messages': how many are listed; 'senders': how many different numbers sent those; 'listed': the seq of the last.
CREATE TABLE totals (
  name  TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE senders (
  msisdn TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) WITHOUT ROWID;

-- The ten senders that come first by count descending, then by number.
CREATE TABLE busiest_senders (
  msisdn TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE recipients (
  msisdn TEXT PRIMARY KEY,
  count  INTEGER NOT NULL
) WITHOUT ROWID;

-- Messages per year, month, day, hour, minute and second: period is the first `level` characters of their moments,
-- and level is 4, 7, 10, 13, 16 or 19.
CREATE TABLE periods (
  level  INTEGER NOT NULL,
  period TEXT NOT NULL,
  count  INTEGER NOT NULL,
  PRIMARY KEY (level, period)
) WITHOUT ROWID;

INSERT INTO senders SELECT from_msisdn, count(*) FROM messages GROUP BY from_msisdn;
INSERT INTO busiest_senders SELECT msisdn, count FROM senders ORDER BY count DESC, msisdn LIMIT 10;
INSERT INTO recipients SELECT to_msisdn, count(*) FROM messages GROUP BY to_msisdn;
INSERT INTO totals VALUES
  ('messages', (SELECT count(*) FROM messages)),
  ('senders', (SELECT count(*) FROM senders)),
  ('listed', (SELECT coalesce(max(seq), 0) FROM messages));

INSERT INTO periods SELECT 19, substr(moment, 1, 19), count(*) FROM messages GROUP BY substr(moment, 1, 19);
INSERT INTO periods SELECT 16, substr(period, 1, 16), sum(count) FROM periods WHERE level = 19 GROUP BY substr(period, 1, 16);
INSERT INTO periods SELECT 13, substr(period, 1, 13), sum(count) FROM periods WHERE level = 16 GROUP BY substr(period, 1, 13);
INSERT INTO periods SELECT 10, substr(period, 1, 10), sum(count) FROM periods WHERE level = 13 GROUP BY substr(period, 1, 10);
INSERT INTO periods SELECT 7, substr(period, 1, 7), sum(count) FROM periods WHERE level = 10 GROUP BY substr(period, 1, 7);
INSERT INTO periods SELECT 4, substr(period, 1, 4), sum(count) FROM periods WHERE level = 7 GROUP BY substr(period, 1, 4);
