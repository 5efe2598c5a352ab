import { foldCase } from '../../fold.ts'
import type { Message } from '../../message.ts'
import type { Committer } from '../group-commit.ts'
import type { SaveResult, StoreObserver } from '../message-store.ts'
import { Trouble } from '../trouble.ts'
import type { PostgresPool } from './pool.ts'

/**
 * One transaction a group. Ids are inserted in their order, so that two processes which store the same ones at the same
 * time wait for each other in turn and not in a circle. Ids that another transaction is storing are waited for: what is
 * a duplicate here is committed there.
 */
const SAVE = {
  name: 'save',
  text: `
    WITH stored AS (
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, text_folded)
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
        AS incoming (message_id, from_msisdn, to_msisdn, ts, text, text_folded)
      ORDER BY message_id COLLATE "C"
      ON CONFLICT (message_id) DO NOTHING
      RETURNING message_id, from_msisdn, to_msisdn, moment
    ), counted AS (
      INSERT INTO uncounted (from_msisdn, to_msisdn, second)
      SELECT from_msisdn, to_msisdn, left(moment, 19) FROM stored
    )
    SELECT message_id FROM stored`
}

/** Errors of the data, and of limits of the program: what one message can have and its neighbours do not. */
const OF_ONE_MESSAGE = /^(?:22|54)/
/** Errors of the server's disk and memory, which the next commit would meet as well, though questions are answered. */
const OF_THE_SERVER = /^(?:53|58|XX)/

/** Stores groups of messages, each in one durable transaction. */
export class PostgresWriter implements Committer {
  readonly #pool: PostgresPool
  readonly #observer: StoreObserver
  readonly #trouble = new Trouble()

  constructor (pool: PostgresPool, observer: StoreObserver) {
    this.#pool = pool
    this.#observer = observer
  }

  /** Whether a commit failed just now, and none has succeeded since, because of the server's disk for instance. */
  get isTroubled (): boolean {
    return this.#trouble.isRecent
  }

  async commit (messages: readonly Message[]): Promise<readonly (SaveResult | Error)[]> {
    const begun = performance.now()
    // ON CONFLICT says nothing of copies within one statement.
    const first = new Map<string, Message>()
    for (const message of messages) if (!first.has(message.message_id)) first.set(message.message_id, message)

    const outcomes = await this.#save([...first.values()])
    this.#trouble.end()
    this.#observer.committed(messages.length, (performance.now() - begun) / 1000)
    return messages.map(message => {
      const outcome = outcomes.get(message.message_id) ?? 'duplicate'
      return first.get(message.message_id) === message || outcome instanceof Error ? outcome : 'duplicate'
    })
  }

  /** What became of each id; those that are known already are left out. */
  async #save (messages: readonly Message[]): Promise<Map<string, SaveResult | Error>> {
    try {
      const rows = await this.#pool.query<{ message_id: string }>(SAVE, [
        messages.map(({ message_id: messageId }) => messageId),
        messages.map(({ from }) => from),
        messages.map(({ to }) => to),
        messages.map(({ ts }) => ts),
        messages.map(({ text }) => text),
        messages.map(({ text }) => text === null ? null : foldCase(text))
      ])
      return new Map(rows.map(({ message_id: messageId }) => [messageId, 'created']))
    } catch (error) {
      if (OF_THE_SERVER.test(codeOf(error))) this.#trouble.begin()
      if (!OF_ONE_MESSAGE.test(codeOf(error))) throw error
      if (messages.length === 1) return new Map(messages.map(({ message_id: messageId }) => [messageId, error as Error]))
      const outcomes = new Map<string, SaveResult | Error>()
      for (const message of messages) for (const [messageId, outcome] of await this.#save([message])) outcomes.set(messageId, outcome)
      return outcomes
    }
  }
}

/** The SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) behind an error; '' where there is none. */
function codeOf (error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : ''
}
