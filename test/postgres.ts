/** A real PostgreSQL, for tests and for the bench (postgres-cluster.ts says which). */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'
import { makeCluster, put, type Place } from './postgres-cluster.ts'

export interface PostgresServer {
  /** Makes a new, empty database. @returns its URL */
  createDatabase (): Promise<string>
  /** An empty database for one test. Another test may have had it: to make a new one takes longer. @returns its URL */
  databaseFor (t: Test): Promise<string>
  /** Runs a statement in a database, as any other program would. */
  query<Row> (url: string, sql: string): Promise<Row[]>
  stop (): Promise<void>
  /** Ends it at once: what it was doing is cut off, and the next start recovers. */
  crash (): Promise<void>
  start (): Promise<void>
  /** Stops it and removes its files. */
  remove (): Promise<void>
  /** Starts a copy of it that streams from it, and can be read. It is restarted for that, and removed last. */
  standby (): Promise<PostgresServer>
  /** The same database as this URL names, on this server. */
  here (url: string): string
}

export interface PostgresOptions {
  /** Files in the folder of its data, such as `pg_hba.conf` and what settings refer to. */
  readonly files?: Readonly<Record<string, string>>
  /** `name=value` */
  readonly settings?: readonly string[]
}

const PASSWORD = 'letterbox'
const SETTINGS = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=200']
/** What a test need not wait for. */
const WITHOUT_SYNC = ['fsync=off', 'full_page_writes=off']

const run = promisify(execFile)

/** Starts a new server in a temporary folder, on a free port. It is gone with the test. */
export async function startPostgres (t: Test, { files, settings = [] }: PostgresOptions = {}): Promise<PostgresServer> {
  const server = await launchPostgres([...WITHOUT_SYNC, ...settings], files)
  t.teardown(() => server.remove())
  return server
}

/** The same without a test. @param settings of the server, `name=value` */
export async function launchPostgres (settings: readonly string[], files: PostgresOptions['files'] = {}): Promise<PostgresServer> {
  const { data, ...place } = await makeCluster(PASSWORD, files)
  const clean = (): void => {
    process.off('exit', clean)
    rmSync(place.folder, { recursive: true, force: true })
  }
  // Also when nobody removes it, as when the process ends by an error.
  process.on('exit', clean)
  try {
    const server = await serve(place, data, settings)
    return { ...server, remove: () => server.remove().finally(clean) }
  } catch (error) {
    clean()
    throw error
  }
}

/** Starts a server on its data, on a free port. */
async function serve (place: Place, data: string, settings: readonly string[]): Promise<PostgresServer> {
  const { folder, bin, user } = place
  const port = await freePort()
  const url = (database: string): string => `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`
  const options = [...SETTINGS, ...settings, `port=${port}`].flatMap(setting => ['-c', setting])
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...options], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...user })
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stderr })) {
      lines.push(line)
      if (!/ready to accept (?:read-only )?connections/.test(line)) continue
      child.stderr.destroy()
      return child
    }
    throw new Error(`PostgreSQL did not start: ${lines.join('\n')}`)
  }

  let child = await start()
  const kill = (): void => { child.kill('SIGQUIT') }
  process.on('exit', kill)
  let databases = 0
  const query = async <Row>(url: string, sql: string): Promise<Row[]> => {
    const client = new pg.Client(url)
    await client.connect()
    try {
      return (await client.query(sql)).rows as Row[]
    } finally {
      await client.end()
    }
  }
  /** https://www.postgresql.org/docs/current/server-shutdown.html: SIGINT ends all sessions, SIGQUIT ends the server at once. */
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  const stop = (): Promise<void> => end('SIGINT')
  const standbys: PostgresServer[] = []
  const createDatabase = async (): Promise<string> => {
    const name = `test_${++databases}`
    await query(url('postgres'), `CREATE DATABASE ${name}`)
    return url(name)
  }
  const free: string[] = []
  return {
    createDatabase,
    async databaseFor (t) {
      const database = free.pop() ?? await createDatabase()
      t.teardown(async () => {
        await query(database, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public')
        free.push(database)
      })
      return database
    },
    query,
    stop,
    async crash () { await end('SIGQUIT') },
    async start () { child = await start() },
    async remove () {
      for (const standby of standbys) await standby.remove()
      await stop()
      process.off('exit', kill)
    },
    async standby () {
      const copy = `${data}-${standbys.length + 1}`
      await stop()
      await run('cp', ['-R', data, copy], { cwd: folder, ...user })
      await put(place, join(copy, 'standby.signal'), '')
      child = await start()
      const upstream = `primary_conninfo=host=127.0.0.1 port=${port} user=postgres password=${PASSWORD}`
      const standby = await serve(place, copy, [...settings, upstream])
      standbys.push(standby)
      return standby
    },
    here (there) {
      const here = new URL(there)
      here.port = String(port)
      return here.href
    }
  }
}
