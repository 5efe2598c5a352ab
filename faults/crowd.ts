import { connect, type Socket } from 'node:net'
import { ask } from '../test/process.ts'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'

const CONNECTIONS = 5000
/** The default of MAX_CONNECTIONS. */
const MOST = 4096
const PROVIDER = 8
const RATE = 200

export const crowd: Fault = {
  name: 'crowd',
  what: `one client opens ${CONNECTIONS} connections, asks once on each, and keeps them`,
  backends: BOTH,
  table: 'clients',
  async run (room) {
    const server = await room.start()
    const provider = await room.provider({ connections: PROVIDER })
    await provider.deliver(3, RATE)
    const usual = await provider.deliver(5, RATE)
    const before = server.rss()

    const delivering = provider.deliver(20, RATE)
    const sockets: Socket[] = []
    const begun = performance.now()
    const answered = await Promise.all(Array.from({ length: CONNECTIONS }, () => taken(server.port, sockets)))
    const took = performance.now() - begun
    const count = answered.filter(Boolean).length
    const { ok, statuses, broken } = await delivering
    const rss = server.rss()
    for (const socket of sockets) socket.destroy()

    room.expect(count <= MOST - PROVIDER && count > MOST - 2 * PROVIDER, `${count} were taken`)
    room.expect(Object.keys(statuses).join() === '200' && broken === 0, `deliveries were answered ${JSON.stringify(statuses)}, ${broken} cut off`)
    room.expect((await ask(`${server.url}/health/ready`)).status === 200, 'it was not ready once they had gone')
    room.note(`${count} taken, ${CONNECTIONS - count} refused, all within ${Math.round(took)} ms`)
    room.measured.others = { usual: usual.ok, beside: ok, rss: [before, rss] }
    return audit(room, server)
  }
}

/** Whether a connection was answered. */
function taken (port: number, sockets: Socket[]): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    socket.on('connect', () => socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'))
    socket.once('data', () => resolve(true)).once('close', () => resolve(false))
  })
}
