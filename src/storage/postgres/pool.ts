import pg from 'pg'
import type { Pool, PoolClient } from 'pg'
import { StoreUnavailable, StoreUnusable, WAITING_READS } from '../message-store.ts'
import { connectionTo } from './connection.ts'

/** How long a connection may take to be had, and a statement to end, in ms; `query_timeout` is for a server that is silent. */
const TIMEOUTS = { connectionTimeoutMillis: 2000, statement_timeout: 5000, query_timeout: 6000 }

/** What a 200 and the counting of messages rest on, whatever the database's defaults are. A URL may say otherwise (`?options=`). */
const SETTINGS = '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed'

/** A statement, and the name under which a connection keeps it prepared. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/**
 * Connections to one PostgreSQL. Whatever goes wrong is a {@link StoreUnavailable}, since the server may be back any
 * moment, but for a {@link StoreUnusable}.
 */
export class PostgresPool {
  readonly #pool: Pool

  /**
   * @param url what connection.ts makes of it
   * @param connections how many at most
   * @throws {StoreUnusable} when the URL breaks a rule
   */
  constructor (url: string, connections: number) {
    this.#pool = new pg.Pool({
      options: SETTINGS, ...connectionTo(url), max: connections, application_name: 'letterbox', keepAlive: true, ...TIMEOUTS
    })
    // A connection that breaks while nobody uses it. The next one is made when it is needed.
    this.#pool.on('error', () => {})
    // One that breaks while it is lent says so here too, besides failing its statement; unheard, that would end the process.
    this.#pool.on('connect', client => { client.on('error', () => {}) })
  }

  /** The rows that a statement answers. */
  async query<Row> ({ name, text }: Statement, values: readonly unknown[], signal?: AbortSignal): Promise<Row[]> {
    if (this.#pool.waitingCount >= WAITING_READS) throw new StoreUnavailable('too many statements are waiting')
    return this.use(async client => {
      const cancel = (): void => { this.#cancel(client) }
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        if (signal?.aborted) throw new Error('nobody waits for the answer')
        return (await client.query({ name, text, values: [...values] })).rows as Row[]
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    })
  }

  /** Lends a connection to `work`. One on which anything failed is not used again. */
  async use<Result> (work: (client: PoolClient) => Promise<Result>): Promise<Result> {
    let client: PoolClient | undefined
    try {
      client = await this.#pool.connect()
      const result = await work(client)
      client.release()
      return result
    } catch (cause) {
      client?.release(true)
      if (cause instanceof StoreUnusable) throw cause
      throw new StoreUnavailable((cause as Error).message, { cause })
    }
  }

  async close (): Promise<void> {
    await this.#pool.end()
  }

  /** Ends the statement that a connection runs. The request goes by a connection of its own, since this one is busy. */
  #cancel (client: PoolClient): void {
    const { processID } = client as PoolClient & { readonly processID: number }
    this.#pool.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {})
  }
}
