/** What happens during a soak. */
import Database from 'better-sqlite3'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Server } from '../bench/processes.ts'
import { ask } from '../test/process.ts'
import { BOTH } from './fault.ts'
import type { Backend } from './result.ts'
import type { Room } from './room.ts'

export interface Soaked {
  readonly room: Room
  /** The process that runs now. */
  server: Server
}

export interface Disturbance {
  readonly name: string
  readonly backends: readonly Backend[]
  /** Whether another process takes over. */
  readonly ends?: true
  happen (soaked: Soaked): Promise<void>
}

async function replace (soaked: Soaked, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  soaked.server.kill(signal)
  await soaked.server.exited
  soaked.server = await soaked.room.start()
}

const SLOW_CLIENTS = 100
const READERS = 4

export const DISTURBANCES: readonly Disturbance[] = [
  { name: 'kill', backends: BOTH, ends: true, happen: soaked => replace(soaked, 'SIGKILL') },
  { name: 'term', backends: BOTH, ends: true, happen: soaked => replace(soaked, 'SIGTERM') },
  {
    name: 'lock',
    backends: ['sqlite'],
    async happen ({ room }) {
      const other = new Database(room.file, { timeout: 10_000 })
      other.exec('BEGIN IMMEDIATE')
      await delay(3000)
      other.exec('ROLLBACK')
      other.close()
    }
  },
  {
    name: 'lock',
    backends: ['postgres'],
    async happen ({ room: { postgres, url } }) {
      await postgres.query(url, 'BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(3); COMMIT')
    }
  },
  {
    name: 'cut',
    backends: ['postgres'],
    async happen ({ room: { postgres, url } }) {
      await postgres.query(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'letterbox'")
    }
  },
  {
    name: 'crash',
    backends: ['postgres'],
    async happen ({ room: { postgres } }) {
      await postgres.crash()
      await postgres.start()
    }
  },
  {
    name: 'slow clients',
    backends: BOTH,
    async happen ({ server }) {
      const sockets = Array.from({ length: SLOW_CLIENTS }, () => connect(server.port, '127.0.0.1').on('error', () => {}))
      for (const byte of 'POST /w') {
        for (const socket of sockets) socket.write(byte)
        await delay(500)
      }
      for (const socket of sockets) socket.resetAndDestroy()
    }
  },
  {
    name: 'burst',
    backends: BOTH,
    async happen ({ room }) {
      const burst = await room.provider({ connections: 500, again: 1000 })
      await burst.deliver(2)
      await burst.end()
    }
  },
  {
    name: 'searches',
    backends: BOTH,
    async happen ({ server }) {
      const end = performance.now() + 4000
      await Promise.all(Array.from({ length: READERS }, async () => {
        while (performance.now() < end) await ask(`${server.url}/messages?q=seventy&offset=1000`).catch(() => {})
      }))
    }
  }
]
