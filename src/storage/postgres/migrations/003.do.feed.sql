-- The feed reads messages by seq (feed.ts).
CREATE UNIQUE INDEX messages_by_seq ON messages (seq);
