import { connect } from 'node:net'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'

const CLIENTS = 50
/** Requests that each of them sends at once, without waiting for an answer. */
const AT_ONCE = 20
const SECONDS = 10
/** Deliveries a second meanwhile: far from what it can take, so that a delay shows. */
const RATE = 200

const PAGE = 'GET /messages?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n'
const ANSWER = /HTTP\/1\.1 (\d+) /g

export const reads: Fault = {
  name: 'reads',
  what: `${CLIENTS} clients send ${AT_ONCE} reads at once each, over one connection, again and again`,
  backends: BOTH,
  table: 'clients',
  async run (room) {
    const server = await room.start()
    const provider = await room.provider()
    await provider.deliver(4)
    const usual = await provider.deliver(3, RATE)
    const before = server.rss()

    const delivering = provider.deliver(SECONDS, RATE)
    const statuses: Record<string, number> = {}
    const sockets = Array.from({ length: CLIENTS }, () => askAgainAndAgain(server.port, statuses))
    const { ok, statuses: delivered } = await delivering
    const rss = server.rss()
    for (const socket of sockets) socket.destroy()

    room.expect(Object.keys(delivered).join() === '200', `deliveries were answered ${JSON.stringify(delivered)}`)
    room.expect(Object.keys(statuses).every(status => ['200', '503'].includes(status)), `reads were answered ${JSON.stringify(statuses)}`)
    room.note(`${Math.round((statuses['200'] ?? 0) / SECONDS)} reads a second answered, ${Math.round((statuses['503'] ?? 0) / SECONDS)} refused`)
    room.measured.others = { usual: usual.ok, beside: ok, rss: [before, rss] }
    return audit(room, server)
  }
}

/** Counts what it is answered, by status. */
function askAgainAndAgain (port: number, statuses: Record<string, number>): { destroy (): void } {
  const requests = PAGE.repeat(AT_ONCE)
  let [answered, rest] = [0, '']
  const socket = connect(port, '127.0.0.1').setEncoding('latin1').on('error', () => {})
  socket.on('connect', () => socket.write(requests))
  socket.on('data', data => {
    const text = rest + String(data)
    let end = 0
    for (const { 1: status = '', index, 0: { length } } of text.matchAll(ANSWER)) {
      statuses[status] = (statuses[status] ?? 0) + 1
      answered++
      end = index + length
    }
    // What may be the beginning of the next answer.
    rest = text.slice(Math.max(end, text.length - 'HTTP/1.1 200'.length))
    if (answered < AT_ONCE) return
    answered = 0
    socket.write(requests)
  })
  return socket
}
