-- The trigrams of the folded texts, by seq. It keeps no copy of a text. It is filled behind the commits (search-index.ts):
-- messages up to totals.indexed are in it, and search reads the rest, the tail, from the table.
CREATE VIRTUAL TABLE messages_search USING fts5 (
  text_folded,
  content = '',
  columnsize = 0,
  tokenize = 'trigram case_sensitive 1'
);

INSERT INTO totals VALUES ('indexed', 0);
