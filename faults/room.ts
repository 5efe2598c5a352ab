/** Where a fault happens: a database, the service on it, and the provider that delivers meanwhile. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SECRET, startLetterbox, type Server, type User } from '../bench/processes.ts'
import { ask } from '../test/process.ts'
import type { PostgresServer } from '../test/postgres.ts'
import { launchProvider, type ProviderHandle, type ProviderOptions } from './provider/handle.ts'
import type { Backend, Measured } from './result.ts'

export interface StartOptions {
  readonly env?: Record<string, string>
  /** Of Node.js itself. */
  readonly flags?: readonly string[]
  readonly user?: User
}

export class Room {
  readonly backend: Backend
  readonly folder: string
  /** The DATABASE_URL. */
  url: string
  readonly #postgres: PostgresServer | undefined
  /** What was seen that must not be. */
  readonly broken: string[] = []
  /** What is worth telling, for the report. */
  readonly notes: string[] = []
  /** What has columns of its own in the report. */
  readonly measured: Measured = {}
  readonly #servers: Server[] = []
  readonly #providers: ProviderHandle[] = []
  readonly #afterwards: (() => void | Promise<void>)[] = []
  #port = 0

  private constructor (backend: Backend, folder: string, url: string, postgres: PostgresServer | undefined) {
    this.backend = backend
    this.folder = folder
    this.url = url
    this.#postgres = postgres
  }

  static async open (postgres: PostgresServer | undefined): Promise<Room> {
    const folder = mkdtempSync(join(tmpdir(), 'letterbox-faults-'))
    mkdirSync(join(folder, 'data'))
    const url = postgres === undefined ? `sqlite:///${join(folder, 'data', 'app.db')}` : await postgres.createDatabase()
    return new Room(postgres === undefined ? 'sqlite' : 'postgres', folder, url, postgres)
  }

  /** The file of a SQLite database. */
  get file (): string {
    return this.url.replace('sqlite:///', '')
  }

  get postgres (): PostgresServer {
    if (this.#postgres === undefined) throw new Error('there is no PostgreSQL in this room')
    return this.#postgres
  }

  /** Starts the service: on a free port the first time, and on the same from then on. */
  async start ({ env = {}, flags = [], user }: StartOptions = {}): Promise<Server> {
    const server = await startLetterbox(this.folder, this.url, { PORT: String(this.#port), ...env }, flags, user)
    this.#servers.push(server)
    this.#port = server.port
    return server
  }

  async provider (options: Partial<ProviderOptions> = {}): Promise<ProviderHandle> {
    const prefix = `p${this.#providers.length + 1}`
    const provider = await launchProvider({ port: this.#port, secret: SECRET, connections: 64, prepared: 0, again: 200, prefix, ...options })
    this.#providers.push(provider)
    return provider
  }

  get providers (): readonly ProviderHandle[] {
    return this.#providers
  }

  expect (holds: boolean, what: string): void {
    if (!holds) this.broken.push(what)
  }

  note (text: string): void {
    this.notes.push(text)
  }

  afterwards (work: () => void | Promise<void>): void {
    this.#afterwards.unshift(work)
  }

  async close (): Promise<void> {
    for (const provider of this.#providers) provider.kill()
    for (const server of this.#servers) server.kill('SIGKILL')
    await Promise.all(this.#servers.map(({ exited }) => exited))
    for (const work of this.#afterwards) await work()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Resolves when the service says that it is ready. @returns after how many ms */
export async function untilReady (url: string, seconds = 30): Promise<number> {
  const begun = performance.now()
  for (;;) {
    const { status } = await ask(`${url}/health/ready`).catch(() => ({ status: 0 }))
    const elapsed = performance.now() - begun
    if (status === 200) return elapsed
    if (elapsed > seconds * 1000) throw new Error(`not ready after ${seconds} s`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
