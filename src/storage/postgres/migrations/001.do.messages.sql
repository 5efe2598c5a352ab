-- Everything is in the collation "C", so that text sorts by code point and not by a locale.
-- moment sorts as time (src/timestamp.ts). text_folded is the text as search sees it (src/fold.ts).
CREATE TABLE messages (
  message_id  text COLLATE "C" NOT NULL PRIMARY KEY,
  from_msisdn text COLLATE "C" NOT NULL,
  to_msisdn   text COLLATE "C" NOT NULL,
  ts          text COLLATE "C" NOT NULL,
  text        text COLLATE "C",
  created_at  timestamptz NOT NULL DEFAULT now(),
  seq         bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  text_folded text COLLATE "C",
  moment      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (rtrim(ts, 'Z')) STORED
);

CREATE INDEX messages_by_moment ON messages (moment, message_id);
CREATE INDEX messages_by_sender ON messages (from_msisdn, moment, message_id);
CREATE INDEX messages_by_recipient ON messages (to_msisdn, moment, message_id);

-- What was stored and is not in the counters yet: one row a message. Each transaction that stores messages only adds rows
-- here, so that processes which store messages of one sender at the same time never wait for each other. One process at a
-- time moves them into the counters (counters.ts). Every question adds up both, so answers are exact.
CREATE TABLE uncounted (
  from_msisdn text COLLATE "C" NOT NULL,
  to_msisdn   text COLLATE "C" NOT NULL,
  second      text COLLATE "C" NOT NULL
);

-- 'messages': how many are counted; 'senders': how many different numbers sent those.
CREATE TABLE totals (
  name  text PRIMARY KEY,
  count bigint NOT NULL
);

INSERT INTO totals VALUES ('messages', 0), ('senders', 0);

-- Counters are updated all the time. Room in their pages, and no index on a count, lets that happen in place:
-- https://www.postgresql.org/docs/current/storage-hot.html
CREATE TABLE senders (
  msisdn text COLLATE "C" PRIMARY KEY,
  count  bigint NOT NULL
) WITH (fillfactor = 50);

-- The ten senders that come first by count descending, then by number, and sometimes a few more.
CREATE TABLE busiest_senders (
  msisdn text COLLATE "C" PRIMARY KEY,
  count  bigint NOT NULL
);

CREATE TABLE recipients (
  msisdn text COLLATE "C" PRIMARY KEY,
  count  bigint NOT NULL
);

-- Messages per year, month, day, hour, minute and second: period is the first `level` characters of their moments,
-- and level is 4, 7, 10, 13, 16 or 19.
CREATE TABLE periods (
  level  integer NOT NULL,
  period text COLLATE "C" NOT NULL,
  count  bigint NOT NULL,
  PRIMARY KEY (level, period)
) WITH (fillfactor = 50);
