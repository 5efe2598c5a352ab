/** PostgreSQL goes away, in each way it has. The service is never restarted. */
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../test/process.ts'
import { audit, type Figures } from './audit.ts'
import type { Fault } from './fault.ts'
import { untilReady, type Room } from './room.ts'
import { watch } from './watch.ts'

const MIB = 2 ** 20
/** What the memory may grow by while deliveries cannot be stored, in bytes. */
const GROWTH = 100 * MIB

interface Away {
  readonly seconds: number
  /** Resolves when the database is there again. */
  readonly away: (room: Room) => Promise<void>
}

async function survive (room: Room, { seconds, away }: Away): Promise<Figures> {
  const server = await room.start()
  const provider = await room.provider()
  await provider.deliver(2)
  const before = server.rss()

  const watching = watch(server.url)
  const delivering = provider.deliver(seconds + 1)
  let [rss, depth, refused] = [0, 0, 0]
  const measuring = new AbortController()
  const measured = (async () => {
    for (; !measuring.signal.aborted; await delay(250)) {
      rss = Math.max(rss, server.rss())
      depth = Math.max(depth, Number(/^store_queue_depth (.*)$/m.exec((await ask(`${server.url}/metrics`)).body)?.[1]))
      if ((await ask(`${server.url}/stats`)).status === 503) refused++
    }
  })()
  await away(room)
  const ready = await untilReady(server.url)
  const { statuses, malformed, refused: latency } = await delivering
  measuring.abort()
  await measured
  const { notLive, notReady, asked, slowest } = await watching.stop()
  const again = await provider.deliver(2)

  room.expect(notLive === 0, 'it was not live')
  room.expect(slowest < 2000, `a probe took ${slowest} ms`)
  room.expect(malformed === 0 && Object.keys(statuses).every(status => ['200', '503'].includes(status)), 'an answer was not as promised')
  room.expect((again.statuses['200'] ?? 0) > 0, 'it did not recover by itself')
  room.expect(rss - before < GROWTH, `memory grew by ${Math.round((rss - before) / MIB)} MiB`)
  room.note(`${statuses['503'] ?? 0} answers of 503${Number.isNaN(latency.max) ? '' : `, the slowest after ${Math.round(latency.max)} ms`}; ${refused} reads refused; ` +
    `ready said no ${notReady} of ${asked} times, and yes ${Math.round(ready)} ms after the database was back; ` +
    `queue ${depth} at most; memory ${Math.round(before / MIB)} to ${Math.round(rss / MIB)} MiB`)
  return audit(room, server)
}

function outage (name: string, what: string, away: Away): Fault {
  return { name, what, backends: ['postgres'], table: 'faults', run: room => survive(room, away) }
}

export const outages: readonly Fault[] = [
  outage('stop', 'PostgreSQL is stopped for 10 s', {
    seconds: 12,
    async away ({ postgres }) {
      await postgres.stop()
      await delay(10_000)
      await postgres.start()
    }
  }),
  outage('crash', 'PostgreSQL crashes and is started again', {
    seconds: 5,
    async away ({ postgres }) {
      await postgres.crash()
      await postgres.start()
    }
  }),
  outage('cut', 'all connections are cut (pg_terminate_backend), ten times', {
    seconds: 6,
    async away ({ postgres, url }) {
      for (let round = 0; round < 10; round++) {
        await postgres.query(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'letterbox'")
        await delay(500)
      }
    }
  }),
  outage('slow', 'a lock holds all statements for 30 s', {
    seconds: 33,
    async away ({ postgres, url }) {
      await postgres.query(url, 'BEGIN; LOCK TABLE messages IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(30); COMMIT')
    }
  })
]
