import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { SECRET } from '../bench/processes.ts'
import { audit } from './audit.ts'
import { requestOf } from './deliveries.ts'
import { BOTH, type Fault } from './fault.ts'

const CLIENTS = 500
const MIB = 2 ** 20
/** Deliveries a second beside the slow clients: far from what it can take, so that a delay shows. */
const RATE = 200

/** Each is opened this often, and what it does with its connection. */
const KINDS: Readonly<Record<string, (socket: Socket, port: number) => void>> = {
  'headers by the byte': socket => { drip(socket, requestOf('slow', 0, SECRET)) },
  'bodies by the byte': socket => {
    const request = requestOf('slow', 0, SECRET)
    const head = request.indexOf('\r\n\r\n') + 4
    socket.write(request.subarray(0, head))
    drip(socket, request.subarray(head))
  },
  'not a word': () => {},
  'half a request, then silence': socket => { socket.write(requestOf('slow', 0, SECRET).subarray(0, 100)) },
  // Many requests, none of whose answers is read.
  'no answer read': socket => {
    socket.pause()
    const ask = (): boolean => socket.write('GET /messages?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20))
    const timer = setInterval(() => { if (socket.writableLength === 0) ask() }, 1000)
    socket.on('close', () => { clearInterval(timer) })
  }
}

export const clients: Fault = {
  name: 'clients',
  what: `slow, silent and deaf clients, ${CLIENTS} of each kind`,
  backends: BOTH,
  async run (room) {
    const server = await room.start()
    const provider = await room.provider({ connections: 8 })
    await provider.deliver(3, RATE)
    const usual = await provider.deliver(5, RATE)
    const before = server.rss()

    for (const [kind, behave] of Object.entries(KINDS)) {
      const count = kind === 'no answer read' ? CLIENTS / 10 : CLIENTS
      const begun = performance.now()
      const lives = Array.from({ length: count }, () => live(server.port, behave))
      const delivering = provider.deliver(50, RATE)
      const ended = await Promise.race([Promise.all(lives).then(all => all.toSorted((a, b) => a - b)), delivering.then(() => undefined)])
      const { ok, statuses, unsent } = await delivering
      const rss = server.rss()
      room.expect(ended !== undefined, `${kind}: still there after ${Math.round((performance.now() - begun) / 1000)} s`)
      room.expect(Object.keys(statuses).join() === '200', `${kind}: others were answered ${JSON.stringify(statuses)}`)
      const seconds = (at: number | undefined): string => `${Math.round((at ?? NaN) / 1000)}`
      room.note(`${count} × ${kind}: cut off after ${seconds(ended?.[0])} to ${seconds(ended?.at(-1))} s; others p99 ${Math.round(ok.p99)} ms ` +
        `(${Math.round(usual.ok.p99)} without them, ${unsent} late), memory ${Math.round(before / MIB)} to ${Math.round(rss / MIB)} MiB`)
    }
    return audit(room, server)
  }
}

/** @returns after how many ms it was cut off */
async function live (port: number, behave: (socket: Socket, port: number) => void): Promise<number> {
  const begun = performance.now()
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.on('connect', () => behave(socket, port))
  if (socket.readableFlowing !== false) socket.resume()
  await once(socket, 'close')
  return performance.now() - begun
}

async function drip (socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (socket.destroyed) return
    socket.write(Buffer.of(byte))
    await delay(1000)
  }
}
