import pg from 'pg'
import type { Pool, PoolClient, PoolConfig, QueryResult } from 'pg'
import { StoreUnavailable, StoreUnusable } from '../errors.ts'
import { WAITING_READS } from '../message-store.ts'
import { connectionTo } from './connection.ts'

/** How long a connection may take to be had, and a statement to end, in ms; `query_timeout` is for a server that is silent. */
const TIMEOUTS = { connectionTimeoutMillis: 2000, statement_timeout: 5000, query_timeout: 6000 }

/** What a 200 and the counting of messages rest on, whatever the database's defaults are. A URL may say otherwise (`?options=`). */
const SETTINGS = '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed'

const UNWANTED = 'nobody waits for the answer'

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
  /** For ending statements, opened when it is needed: all connections of the pool may be busy. */
  readonly #cancels: Pool

  /**
   * @param url what connection.ts makes of it
   * @param connections how many at most
   * @throws {StoreUnusable} when the URL breaks a rule
   */
  constructor (url: string, connections: number) {
    const settings = { options: SETTINGS, ...connectionTo(url), application_name: 'letterbox', keepAlive: true, ...TIMEOUTS }
    this.#pool = poolOf({ ...settings, max: connections })
    this.#cancels = poolOf({ ...settings, max: 1 })
  }

  /** The rows that a statement answers. */
  async query<Row> ({ name, text }: Statement, values: readonly unknown[], signal?: AbortSignal): Promise<Row[]> {
    if (this.#pool.waitingCount >= WAITING_READS) throw new StoreUnavailable('too many statements are waiting')
    const rows = await this.use(async client => {
      // While it waited for the connection, which is as good as it was.
      if (signal?.aborted) return undefined
      const cancel = (): void => { this.#cancel(client) }
      signal?.addEventListener('abort', cancel, { once: true })
      try {
        const { rows } = await client.query({ name, text, values: [...values] })
        // It may be ended yet, and that must not meet the next statement of this connection.
        if (signal?.aborted) throw new Error(UNWANTED)
        return rows as Row[]
      } finally {
        signal?.removeEventListener('abort', cancel)
      }
    })
    if (rows === undefined) throw new StoreUnavailable(UNWANTED)
    return rows
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
    await Promise.all([this.#pool.end(), this.#cancels.end()])
  }

  /** Ends the statement that a connection runs. */
  #cancel (client: PoolClient): void {
    const { processID } = client as PoolClient & { readonly processID: number }
    this.#cancels.query('SELECT pg_cancel_backend($1)', [processID]).catch(() => {})
  }
}

function poolOf (config: PoolConfig): Pool {
  const pool = new pg.Pool(config)
  // A connection that breaks while nobody uses it. The next one is made when it is needed.
  pool.on('error', () => {})
  // One that breaks while it is lent says so here too, besides failing its statement; unheard, that would end the process.
  pool.on('connect', client => { client.on('error', () => {}) })
  return pool
}

/** As long as a timer can be set for, 24 days, in ms. */
const UNHURRIED = 2 ** 31 - 1

/** Runs a statement. */
export type Run = (text: string) => Promise<QueryResult>

/** Lets statements of a connection take as long as they like, such as one that makes an index on a full table. */
export async function unhurried<Result> (client: PoolClient, work: (run: Run) => Promise<Result>): Promise<Result> {
  await client.query('SET statement_timeout = 0')
  const result = await work(text => {
    const statement = { text, query_timeout: UNHURRIED }
    return client.query(statement)
  })
  await client.query('RESET statement_timeout')
  return result
}
