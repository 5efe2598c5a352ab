import { join } from 'node:path'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'
import { watch } from './watch.ts'

export const clock: Fault = {
  name: 'clock',
  what: 'the clock leaps back and forth, by an hour up to ten years, three times a second',
  backends: BOTH,
  table: 'faults',
  async run (room) {
    const server = await room.start({ env: { FAULT: 'clock' }, flags: ['--import', join(import.meta.dirname, 'preload.ts')] })
    const provider = await room.provider()
    const watching = watch(server.url)
    const { statuses, ok, malformed } = await provider.deliver(6)
    const { notLive, notReady } = await watching.stop()
    room.expect(notLive + notReady === 0, 'it was not live, or not ready')
    room.expect(Object.keys(statuses).join() === '200' && malformed === 0, `deliveries were answered ${JSON.stringify(statuses)}`)
    const years = new Set(server.log().split('\n').filter(line => line !== '').map(line => JSON.parse(line).ts.slice(0, 4)))
    room.expect(years.size > 2, 'the clock did not leap')
    room.note(`its log says ${[...years].sort().join(', ')}; p99 ${Math.round(ok.p99)} ms`)
    return audit(room, server)
  }
}
