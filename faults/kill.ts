import { setTimeout as delay } from 'node:timers/promises'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'

const KILLS = 20

export const kill: Fault = {
  name: 'kill',
  what: `SIGKILL in full load, ${KILLS} times`,
  backends: BOTH,
  table: 'faults',
  async run (room) {
    let server = await room.start()
    const provider = await room.provider()
    let broken = 0
    for (let round = 0; round < KILLS; round++) {
      const delivering = provider.deliver(1.2)
      await delay(300 + Math.random() * 800)
      server.kill('SIGKILL')
      const result = await delivering
      broken += result.broken
      room.expect(result.malformed === 0, 'an answer was not as promised')
      await server.exited
      server = await room.start()
    }
    room.note(`${broken} deliveries were cut off and sent again`)
    return audit(room, server)
  }
}
