/** Pages of the list, as SQL. Each answers `messages`, one row more than the page where the list goes on. */
import { momentOf } from '../../timestamp.ts'
import type { Filter, Position } from '../message-store.ts'
import { COLUMNS, FEW_HITS, ORDER, recordColumns } from '../questions.ts'
import type { Seen } from './seen.ts'
import { conditionsOf, totalOf, type Arguments } from './conditions.ts'

/** The timestamp as ISO 8601. */
export const RECEIVED_AT = 'to_char(created_at AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\')'
/** A message and how it came in. */
export const RECORD_COLUMNS = recordColumns(RECEIVED_AT)

/** `limit` messages after the first `offset`, and the total. */
export function listPage (filter: Filter, limit: number, offset: number, args: Arguments): string {
  return `SELECT ${list(filter, limit, offset, args)} AS messages, ${totalOf(filter, args)} AS total`
}

/** The same for a filter whose `q` the trigram index knows. */
export function searchPage (filter: Filter, limit: number, offset: number, args: Arguments): string {
  const conditions = conditionsOf(filter, args)
  return `${hits(conditions)}
    SELECT CASE WHEN few THEN ${sorted(limit, offset, args)} ELSE ${list(filter, limit, offset, args)} END AS messages,
      CASE WHEN few THEN found ELSE (SELECT count(*) FROM messages WHERE ${conditions}) END AS total
    FROM extent`
}

/** Which rows a page may hold. */
export interface Bounds {
  readonly after: Position
  /** Only those that were seen at one moment. */
  readonly seen?: Seen
}

/** `limit` messages behind a position. */
export function listAfter (columns: string, filter: Filter, limit: number, bounds: Bounds, args: Arguments): string {
  const conditions = `${conditionsOf(filter, args)} AND ${within(bounds, args)}`
  return `SELECT ${walk(conditions, limit, args, columns)} AS messages`
}

/** The same for a filter whose `q` the trigram index knows. */
export function searchAfter (columns: string, filter: Filter, limit: number, bounds: Bounds, args: Arguments): string {
  const conditions = `${conditionsOf(filter, args)} AND ${within(bounds, args)}`
  return `${hits(conditions)}
    SELECT CASE WHEN few THEN ${sorted(limit, 0, args, columns)} ELSE ${walk(conditions, limit, args, columns)} END AS messages FROM extent`
}

/** What is skipped is stepped over in the index, without its rows. */
function list (filter: Filter, limit: number, offset: number, args: Arguments): string {
  const conditions = conditionsOf(filter, args)
  if (offset === 0) return walk(conditions, limit, args)
  const first = `SELECT moment, message_id FROM messages WHERE ${conditions} ${ORDER} LIMIT 1 OFFSET ${args.add(offset)}::bigint`
  return walk(`${conditions} AND (moment, message_id) >= (${first})`, limit, args)
}

function walk (conditions: string, limit: number, args: Arguments, columns = COLUMNS): string {
  return rows(`SELECT ${columns} FROM messages WHERE ${conditions} ${ORDER} LIMIT ${args.add(limit)}::bigint`)
}

function hits (conditions: string): string {
  return `
    WITH hits AS MATERIALIZED (
      SELECT message_id FROM messages WHERE ${conditions} LIMIT ${FEW_HITS + 1}
    ), extent AS MATERIALIZED (
      SELECT count(*) AS found, count(*) <= ${FEW_HITS} AS few FROM hits
    )`
}

function sorted (limit: number, offset: number, args: Arguments, columns = COLUMNS): string {
  return rows(`
    SELECT ${columns} FROM messages WHERE message_id IN (SELECT message_id FROM hits)
    ${ORDER} LIMIT ${args.add(limit)}::bigint OFFSET ${args.add(offset)}::bigint`)
}

function rows (select: string): string {
  return `(SELECT coalesce(json_agg(page), '[]') FROM (${select}) AS page)`
}

function within ({ after: { ts, message_id: messageId }, seen }: Bounds, args: Arguments): string {
  const behind = `(moment, message_id) > (${args.add(momentOf(ts))}, ${args.add(messageId)})`
  return seen === undefined ? behind : `${behind} AND (seq <= ${args.add(seen.last)}::bigint OR seq = ANY (${args.add(seen.beyond)}::bigint[]))`
}
