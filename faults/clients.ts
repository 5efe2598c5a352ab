import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SECRET } from '../bench/processes.ts'
import { audit } from './audit.ts'
import { requestOf } from './provider/deliveries.ts'
import { BOTH, type Fault } from './fault.ts'

const CLIENTS = 500
/** Longer than any of the limits. */
const SECONDS = 75
/** Deliveries a second beside the slow clients: far from what it can take, so that a delay shows. */
const RATE = 200

/** Much, and no work: some of it fills the buffers between the two. */
const LARGE = 'GET /docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n'

function clients (name: string, what: string, behave: (socket: Socket) => void): Fault {
  return {
    name,
    what: `${CLIENTS} clients ${what}`,
    backends: BOTH,
    table: 'clients',
    async run (room) {
      const server = await room.start()
      const provider = await room.provider({ connections: 8 })
      await provider.deliver(3, RATE)
      const usual = await provider.deliver(5, RATE)
      const before = server.rss()

      const begun = performance.now()
      const delivering = provider.deliver(SECONDS, RATE)
      const all = Promise.all(Array.from({ length: CLIENTS }, () => live(server.port, behave)))
      const ended = await Promise.race([all.then(times => times.toSorted((a, b) => a - b)), delivering.then(() => undefined)])
      const { ok, statuses } = await delivering
      const rss = server.rss()
      room.expect(ended !== undefined, `some are still there after ${Math.round((performance.now() - begun) / 1000)} s`)
      room.expect(Object.keys(statuses).join() === '200', `others were answered ${JSON.stringify(statuses)}`)
      if (ended !== undefined) room.note(`cut off after ${[...new Set([ended.at(0), ended.at(-1)].map(time => Math.round((time ?? NaN) / 1000)))].join(' to ')} s`)
      room.measured.others = { usual: usual.ok, beside: ok, rss: [before, rss] }
      return audit(room, server)
    }
  }
}

export const badClients: readonly Fault[] = [
  clients('slow-headers', 'send their headers a byte a second', socket => { drip(socket, requestOf('slow', 0, SECRET)) }),
  clients('slow-bodies', 'send their bodies a byte a second', socket => {
    const request = requestOf('slow', 0, SECRET)
    const head = request.indexOf('\r\n\r\n') + 4
    socket.write(request.subarray(0, head))
    drip(socket, request.subarray(head))
  }),
  clients('silent', 'connect and say nothing', () => {}),
  clients('half', 'send half a request', socket => { socket.write(requestOf('slow', 0, SECRET).subarray(0, 100)) }),
  clients('deaf', 'read no answer', socket => {
    socket.pause().write(LARGE.repeat(8))
    // It sees that it was cut off when it writes.
    const timer = setInterval(() => socket.write('GET'), 1000)
    socket.on('close', () => { clearInterval(timer) })
  })
]

/** @returns after how many ms it was cut off */
async function live (port: number, behave: (socket: Socket) => void): Promise<number> {
  const begun = performance.now()
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.on('connect', () => behave(socket))
  if (socket.readableFlowing !== false) socket.resume()
  await new Promise(resolve => { socket.once('close', resolve) })
  return performance.now() - begun
}

async function drip (socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return
    socket.write(Buffer.of(byte))
    await delay(1000)
  }
}
