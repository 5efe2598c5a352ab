-- When messages were received, for removal by age (receipts.ts): the earliest of each block of 1,024 places in the order of commits, block 0
-- being those below 1,024. An index had an entry for each message instead, 34 bytes, that every message paid for.
-- Removal fills it, up to the place totals.dated, exclusive; where nothing is removed by age it stays empty.
CREATE TABLE receipts (
  block    INTEGER PRIMARY KEY,
  earliest TEXT NOT NULL
);

CREATE INDEX receipts_by_earliest ON receipts (earliest);

INSERT INTO totals VALUES ('dated', 0);

-- 'unmerged': how many messages were removed since the search index was last merged; 'merging': 1 while it is (search-merge.ts).
INSERT INTO totals VALUES ('unmerged', 0), ('merging', 0);

DROP INDEX IF EXISTS messages_by_receipt;

-- Ids are forgotten in the order of their hashes (removed-ids.ts): the index took as much as the table.
DROP INDEX removed_ids_by_day;
