import Database from 'better-sqlite3'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../test/process.ts'
import { audit } from './audit.ts'
import type { Fault } from './fault.ts'
import { untilReady } from './room.ts'
import { watch } from './watch.ts'

const SECONDS = 10

export const lock: Fault = {
  name: 'lock',
  what: `another process holds SQLite's write lock for ${SECONDS} s`,
  backends: ['sqlite'],
  table: 'faults',
  async run (room) {
    const server = await room.start()
    const provider = await room.provider()
    await provider.deliver(1)

    const other = new Database(room.file)
    other.pragma('busy_timeout = 5000')
    other.exec('BEGIN IMMEDIATE')
    const watching = watch(server.url)
    const delivering = provider.deliver(SECONDS)
    let read = 0
    for (const end = performance.now() + SECONDS * 1000; performance.now() < end; await delay(200)) {
      room.expect((await ask(`${server.url}/messages?limit=1`)).status === 200, 'a read was refused')
      read++
    }
    other.exec('ROLLBACK')
    other.close()
    const { statuses, malformed } = await delivering
    const { notLive, notReady, asked, slowest } = await watching.stop()
    room.expect(notLive === 0, 'it was not live')
    room.expect(slowest < 2000, `a probe took ${slowest} ms`)
    room.expect(malformed === 0, 'an answer was not as promised')
    room.note(`meanwhile ${statuses['503'] ?? 0} answers of 503, ${read} reads answered, ready said no ${notReady} of ${asked} times, the slowest probe took ${slowest} ms`)

    await untilReady(server.url)
    const { pause } = await provider.deliver(2)
    room.note(`took deliveries again within ${Math.round(pause)} ms`)
    return audit(room, server)
  }
}
