import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import manifest from '../package.json' with { type: 'json' }
import type { Load, LoadResult } from './load.ts'

export const SECRET = 'a secret of the bench'

/** What a load can be put on. */
export interface Target {
  readonly port: number
  /** User and system time of the process so far, all threads, in s. */
  cpu (): number
}

/** A server under test, in a process of its own. */
export interface Server extends Target {
  readonly url: string
  readonly pid: number
  /** Resident set size, in bytes. */
  rss (): number
  /** What it has logged so far. */
  log (): string
  /** Sends a signal. */
  kill (signal: NodeJS.Signals): void
  readonly exited: Promise<{ readonly code: number | null, readonly signal: NodeJS.Signals | null }>
  stop (): Promise<void>
}

/** As whom a server runs; whoever starts it, by default. */
export interface User { readonly uid: number, readonly gid: number }

/** What `npm start` gives to Node.js, but for a .env. */
const FLAGS = [
  ...manifest.scripts.start.split(' ').filter(word => word.startsWith('--max-')),
  '--import', join(import.meta.dirname, '..', 'scripts', 'compile-cache.js')
]

let started = 0

/** Starts a script that logs the address at which it listens; its log goes to a file, as a service's would. */
export async function start (script: string, folder: string, env: Record<string, string> = {}, flags: readonly string[] = [], user?: User): Promise<Server> {
  const log = join(folder, `log-${++started}`)
  const output = openSync(log, 'w')
  const child = spawn(process.execPath, [...flags, join(import.meta.dirname, script)], {
    env: { ...process.env, ...env }, stdio: ['ignore', output, 'inherit'], ...user
  })
  closeSync(output)
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  const url = await address(child, log)
  const pid = child.pid ?? 0
  return {
    url,
    pid,
    port: Number(new URL(url).port),
    cpu: () => cpuSeconds(pid),
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    log: () => readFileSync(log, 'utf8'),
    kill: signal => { child.kill(signal) },
    exited,
    async stop () {
      child.kill('SIGTERM')
      await exited
    }
  }
}

/** Letterbox, as `npm start` runs it. @param databaseUrl a file is taken for a SQLite database */
export function startLetterbox (
  folder: string, databaseUrl: string, env: Record<string, string> = {}, flags: readonly string[] = [], user?: User
): Promise<Server> {
  const DATABASE_URL = databaseUrl.includes('://') ? databaseUrl : `sqlite:///${databaseUrl}`
  return start('../server.ts', folder, {
    WEBHOOK_SECRET: SECRET, DATABASE_URL, PORT: '0', LOG_LEVEL: 'INFO', SHUTDOWN_DELAY: '0', ...env
  }, [...FLAGS, ...flags], user)
}

async function address (child: ChildProcess, log: string): Promise<string> {
  for (;;) {
    const [, url] = /Server listening at (http:[^"]+)/.exec(readFileSync(log, 'utf8')) ?? []
    if (url !== undefined) return url
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${readFileSync(log, 'utf8')}`)
    await delay(20)
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: fields 14 and 15, in ticks of 10 ms. */
export function cpuSeconds (pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Puts a load on a server, made and measured in another process. */
export async function load (settings: Load): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, 'load.ts'))
  child.send(settings)
  await once(child, 'message')
  child.send('go')
  const [result] = await once(child, 'message') as [LoadResult]
  return result
}
