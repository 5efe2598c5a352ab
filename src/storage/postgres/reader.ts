import { createHash } from 'node:crypto'
import type { Message, StoredMessage } from '../../message.ts'
import { isStorable } from '../../storable.ts'
import { beginningOf, type Span, type Volume } from '../../volume.ts'
import type { CountedPage, Filter, Page, Position, Stats } from '../message-store.ts'
import { COLUMNS, isHopeless, isSearch, pageOf } from '../questions.ts'
import { Arguments, totalOf } from './conditions.ts'
import { listAfter, listPage, RECORD_COLUMNS, searchAfter, searchPage, type Bounds } from './pages.ts'
import type { PostgresPool } from './pool.ts'
import type { Seen } from './seen.ts'
import { STATS } from './statistics.ts'
import { volumeOf, volumeOfAll } from './volume.ts'

/**
 * The questions. Each is one statement, and so sees one state of the database; what it answers is one JSON document.
 */
export class PostgresReader {
  readonly #pool: PostgresPool

  constructor (pool: PostgresPool) {
    this.#pool = pool
  }

  async get (messageId: string, signal?: AbortSignal): Promise<StoredMessage | undefined> {
    if (!isStorable(messageId)) return undefined
    const statement = { name: 'get', text: `SELECT ${RECORD_COLUMNS} FROM messages WHERE message_id = $1` }
    const [message] = await this.#pool.query<StoredMessage>(statement, [messageId], signal)
    return message
  }

  async page (filter: Filter, limit: number, offset: number, signal?: AbortSignal): Promise<CountedPage> {
    if (isHopeless(filter)) return { messages: [], next: undefined, total: 0 }
    const { messages, total } = await this.#answer<{ messages: Message[], total: number }>(
      args => isSearch(filter) ? searchPage(filter, limit + 1, offset, args) : listPage(filter, limit + 1, offset, args),
      signal, filter.q === undefined)
    return { ...pageOf(messages, limit), total }
  }

  pageAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page> {
    return this.#after(COLUMNS, filter, limit, { after: position }, signal)
  }

  recordsAfter (filter: Filter, limit: number, position: Position, signal?: AbortSignal): Promise<Page<StoredMessage>> {
    return this.#after<StoredMessage>(RECORD_COLUMNS, filter, limit, { after: position }, signal)
  }

  /** The same of the messages that were seen at one moment. */
  recordsSeen (filter: Filter, limit: number, after: Position, seen: Seen, signal?: AbortSignal): Promise<Page<StoredMessage>> {
    return this.#after<StoredMessage>(RECORD_COLUMNS, filter, limit, { after, seen }, signal)
  }

  async #after<Row extends Message> (columns: string, filter: Filter, limit: number, bounds: Bounds, signal?: AbortSignal): Promise<Page<Row>> {
    if (isHopeless(filter, bounds.after)) return { messages: [], next: undefined }
    const { messages } = await this.#answer<{ messages: Row[] }>(
      args => isSearch(filter) ? searchAfter(columns, filter, limit + 1, bounds, args) : listAfter(columns, filter, limit + 1, bounds, args),
      signal, filter.q === undefined)
    return pageOf(messages, limit)
  }

  stats (signal?: AbortSignal): Promise<Stats> {
    return this.#answer<Stats>(() => STATS, signal)
  }

  async volume (span: Span, from?: string, signal?: AbortSignal): Promise<Volume[]> {
    if (isHopeless({ from })) return []
    const { periods } = await this.#answer<{ periods: { period: string, count: number }[] }>(
      args => from === undefined ? volumeOfAll(span, args) : volumeOf(span, from, args), signal)
    return periods.map(({ period, count }) => ({ ts: beginningOf(period), count }))
  }

  async count (): Promise<number> {
    const { total } = await this.#answer<{ total: number }>(args => `SELECT ${totalOf({}, args)} AS total`)
    return total
  }

  /** @param planned whether the plan may be kept: not where the best one depends on what is searched for */
  async #answer<Row> (sqlOf: (args: Arguments) => string, signal?: AbortSignal, planned = true): Promise<Row> {
    const args = new Arguments()
    const text = `SELECT to_json(answer) AS answer FROM (${sqlOf(args)}) AS answer`
    const name = planned ? createHash('sha1').update(text).digest('base64') : ''
    const [row] = await this.#pool.query<{ answer: Row }>({ name, text }, args.values, signal)
    return (row as { answer: Row }).answer
  }
}
