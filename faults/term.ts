import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../test/process.ts'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'

const ROUNDS = 5
/** The default of SHUTDOWN_DELAY. */
const ENV = { SHUTDOWN_DELAY: '500' }

export const term: Fault = {
  name: 'term',
  what: `SIGTERM in full load, ${ROUNDS} times, and two signals at once`,
  backends: BOTH,
  table: 'faults',
  async run (room) {
    let server = await room.start({ env: ENV })
    // Nothing is sent twice: what is stored and was never answered is a request that was cut off.
    const provider = await room.provider({ again: Infinity })
    let slowest = 0
    for (let round = 0; round < ROUNDS; round++) {
      const delivering = provider.deliver(3)
      await delay(1000)
      const begun = performance.now()
      server.kill('SIGTERM')
      await delay(100)
      room.expect((await ask(`${server.url}/health/ready`)).status === 503, 'it said that it was ready')
      const { code } = await server.exited
      slowest = Math.max(slowest, performance.now() - begun)
      room.expect(code === 0, `it ended with code ${code}`)
      await delivering
      server = await room.start({ env: ENV })
    }
    room.expect(slowest < 10_000, 'it took more than 10 s to end')

    const second = await room.provider()
    const delivering = second.deliver(2)
    await delay(500)
    server.kill('SIGTERM')
    await delay(100)
    const begun = performance.now()
    server.kill('SIGTERM')
    const { code } = await server.exited
    const atOnce = performance.now() - begun
    room.expect(atOnce < 1000 && code === 1, `a second signal ended it after ${Math.round(atOnce)} ms with code ${code}`)
    await delivering

    server = await room.start({ env: ENV })
    const { acknowledged } = await provider.end()
    const figures = await audit(room, server)
    const cut = figures.found - acknowledged.reduce((sum, each) => sum + each, 0) - (second.ledger?.sent ?? 0)
    room.expect(cut === 0, `${cut} stored messages were never answered`)
    room.note(`ended in ${Math.round(slowest)} ms at most, ${cut} accepted requests cut off; the second signal took ${Math.round(atOnce)} ms`)
    return figures
  }
}
