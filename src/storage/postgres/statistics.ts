import { totalOf, Arguments } from './conditions.ts'

/** What GET /stats answers, as SQL: from the counters and what is not in them yet, and from both ends of the list. */
export const STATS = `
  WITH uncounted_senders AS MATERIALIZED (
    SELECT from_msisdn AS msisdn, count(*) AS count FROM uncounted GROUP BY 1
  ), busiest AS (
    (SELECT msisdn, count FROM busiest_senders WHERE msisdn NOT IN (SELECT msisdn FROM uncounted_senders)
     ORDER BY count DESC, msisdn LIMIT 10)
    UNION ALL
    SELECT msisdn, fresh.count + coalesce(senders.count, 0) FROM uncounted_senders AS fresh LEFT JOIN senders USING (msisdn)
    ORDER BY count DESC, msisdn LIMIT 10
  )
  SELECT
    ${totalOf({}, new Arguments())} AS total_messages,
    (SELECT count FROM totals WHERE name = 'senders') +
      (SELECT count(*) FROM uncounted_senders AS fresh
       WHERE NOT EXISTS (SELECT FROM senders WHERE senders.msisdn = fresh.msisdn)) AS senders_count,
    (SELECT coalesce(json_agg(json_build_object('from', msisdn, 'count', count) ORDER BY count DESC, msisdn), '[]') FROM busiest) AS messages_per_sender,
    (SELECT ts FROM messages ORDER BY moment LIMIT 1) AS first_message_ts,
    (SELECT ts FROM messages ORDER BY moment DESC LIMIT 1) AS last_message_ts`
