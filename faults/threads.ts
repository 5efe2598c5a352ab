import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../test/process.ts'
import { audit } from './audit.ts'
import type { Fault } from './fault.ts'
import { untilReady } from './room.ts'
import { watch } from './watch.ts'

const DEATHS = 12

export const threads: Fault = {
  name: 'threads',
  what: `the writer thread and the reader threads die in turn, ${DEATHS} times`,
  backends: ['sqlite'],
  table: 'faults',
  async run (room) {
    const server = await room.start({ env: { FAULT: 'threads' }, flags: ['--import', join(import.meta.dirname, 'preload.ts')] })
    const provider = await room.provider()
    await provider.deliver(0.5)
    const watching = watch(server.url)
    const delivering = provider.deliver(DEATHS * 1.5)
    let slowest = 0
    const refused: Record<string, number> = {}
    for (let death = 0; death < DEATHS; death++) {
      server.kill('SIGWINCH')
      for (const end = performance.now() + 1500; performance.now() < end; await delay(50)) {
        const begun = performance.now()
        for (const path of ['/messages?limit=1', '/messages?limit=1&q=seventy', '/stats']) {
          const { status } = await ask(server.url + path)
          if (status !== 200) refused[String(status)] = (refused[String(status)] ?? 0) + 1
        }
        slowest = Math.max(slowest, performance.now() - begun)
      }
    }
    const { statuses, malformed, pause } = await delivering
    const { notLive } = await watching.stop()
    room.expect(notLive === 0, 'it was not live')
    room.expect(malformed === 0, 'an answer was not as promised')
    room.expect(Object.keys(refused).every(status => status === '503'), `reads were answered ${JSON.stringify(refused)}`)
    room.expect(slowest < 15_000, 'a read hung')
    room.note(`${statuses['503'] ?? 0} deliveries and ${refused['503'] ?? 0} reads refused; the longest time without a 200: ${Math.round(pause)} ms; ` +
      `three reads took ${Math.round(slowest)} ms at most`)
    await untilReady(server.url)
    return audit(room, server)
  }
}
