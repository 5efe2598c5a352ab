/** The wire as a client sees it, for what `inject` does not have: packets, raw header bytes, connections that break. */
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { sign } from '../src/signature/hmac.ts'
import { SECRET } from './helper.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Opens a connection. */
export async function open (port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  await once(socket, 'connect')
  return socket
}

/** Sends packets one after the other, and resolves with the answers when the server has closed the connection. */
export async function exchange (port: number, ...packets: (string | Buffer)[]): Promise<Answer[]> {
  const socket = await open(port)
  const received = text(socket)
  for (const packet of packets) {
    await write(socket, packet)
    await turn()
  }
  return answersOf(await received)
}

/** As a client that reads nothing before it has written everything. */
export async function writeThenRead (port: number, ...packets: (string | Buffer)[]): Promise<Answer[]> {
  const socket = new Socket().pause().connect(port, '127.0.0.1')
  await once(socket, 'connect')
  for (const packet of packets) await write(socket, packet)
  return answersOf(await text(socket))
}

function write (socket: Socket, packet: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(packet, 'latin1', error => error ? reject(error) : resolve())
  })
}

/** The head of a POST /webhook with exactly these header lines besides Host; ask for `Connection: close` to end the exchange. */
export function head (...headers: string[]): string {
  return ['POST /webhook HTTP/1.1', 'Host: letterbox', ...headers, '', ''].join('\r\n')
}

/** A whole signed POST /webhook, as bytes. */
export function post (body: string, ...headers: string[]): Buffer {
  const bytes = Buffer.from(body)
  return Buffer.concat([Buffer.from(head(...signed(bytes), `Content-Length: ${bytes.length}`, ...headers)), bytes])
}

/** The header lines that make `body` a delivery. */
export function signed (body: Buffer): string[] {
  return ['Content-Type: application/json', `X-Signature: ${sign(body, SECRET)}`]
}

/** One chunk of a chunked body; an empty one ends it. */
export function chunk (bytes: string | Buffer): Buffer {
  const data = Buffer.from(bytes)
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')])
}

/** The answers in what was received. */
export function answersOf (received: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = received; rest !== '';) {
    const end = rest.indexOf('\r\n\r\n')
    const [statusLine = '', ...lines] = rest.slice(0, end).split('\r\n')
    const headers = Object.fromEntries(lines.map(line => {
      const [name = '', ...value] = line.split(': ')
      return [name.toLowerCase(), value.join(': ')]
    }))
    const length = Number(headers['content-length'] ?? 0)
    answers.push({ status: Number(statusLine.split(' ')[1]), headers, body: rest.slice(end + 4, end + 4 + length) })
    rest = rest.slice(end + 4 + length)
  }
  return answers
}
