import { PERIOD_LEVELS } from '../questions.ts'

/** The counters of a table, each less by what `less` says of its key; those that get to 0 are gone. */
function uncount (table: string, key: readonly string[], less: string): string {
  const same = key.map(column => `${table}.${column} = less.${column}`).join(' AND ')
  return `
    less_${table} AS (
      UPDATE ${table} SET count = ${table}.count - less.count FROM (${less}) AS less WHERE ${same} AND ${table}.count > less.count
    ), gone_${table} AS (
      DELETE FROM ${table} USING (${less}) AS less WHERE ${same} AND ${table}.count = less.count RETURNING 1
    )`
}

const counted = (column: string, name = column): string => `SELECT ${column} AS ${name}, count(*) AS count FROM gone GROUP BY 1`

/** Two statements of one transaction, which holds the lock of the counters, and in which all that is removed is counted. */
export const REMOVE = {
  /** Removes messages by their ids, and takes them out of the counters. */
  messages: {
    name: 'remove',
    text: `
      WITH gone AS MATERIALIZED (
        DELETE FROM messages WHERE message_id = ANY ($1::text[])
        RETURNING from_msisdn, to_msisdn, source, left(moment, 19) AS second
      ), ${uncount('senders', ['msisdn'], counted('from_msisdn', 'msisdn'))
      }, ${uncount('recipients', ['msisdn'], counted('to_msisdn', 'msisdn'))
      }, ${uncount('sources', ['source'], counted('source'))
      }, ${uncount('periods', ['level', 'period'], `
        SELECT level, left(second, level) AS period, count(*) AS count FROM gone, unnest(ARRAY[${PERIOD_LEVELS.join()}]) AS level GROUP BY 1, 2`)
      }, less_totals AS (
        UPDATE totals SET count = totals.count - CASE name WHEN 'messages' THEN (SELECT count(*) FROM gone) ELSE (SELECT count(*) FROM gone_senders) END
      )
      SELECT count(*)::integer AS removed FROM gone`
  },
  /** Looks for the busiest senders anew where one of them has fewer messages now: nobody knows who came behind them. */
  busiest: {
    name: 'busiest',
    text: `
      WITH changed AS MATERIALIZED (
        SELECT EXISTS (
          SELECT FROM busiest_senders LEFT JOIN senders USING (msisdn) WHERE senders.count IS DISTINCT FROM busiest_senders.count
        ) AS stale
      ), first AS MATERIALIZED (
        SELECT msisdn, count FROM senders WHERE (SELECT stale FROM changed) ORDER BY count DESC, msisdn LIMIT 10
      ), dropped AS (
        DELETE FROM busiest_senders WHERE (SELECT stale FROM changed) AND msisdn NOT IN (SELECT msisdn FROM first)
      )
      INSERT INTO busiest_senders SELECT msisdn, count FROM first ON CONFLICT (msisdn) DO UPDATE SET count = excluded.count`
  }
}
