/** The messages of the made-up provider: each can be told from its number, and its text from its id. */
import { sign } from '../../src/signature/hmac.ts'

const SENDERS = 500

export function idOf (prefix: string, number: number): string {
  return `${prefix}-${number}`
}

export function textOf (id: string): string {
  return `the text of ${id}, some seventy characters long like most of the messages`
}

export function messageOf (prefix: string, number: number): Record<string, string> {
  const id = idOf(prefix, number)
  return {
    message_id: id,
    from: `+9198${String(number % SENDERS).padStart(8, '0')}`,
    to: `+1415555010${number % 5}`,
    ts: new Date(Date.UTC(2025, 0, 1) + number * 10).toISOString(),
    text: textOf(id)
  }
}

/** A whole HTTP request. */
export function requestOf (prefix: string, number: number, secret: string): Buffer {
  const body = Buffer.from(JSON.stringify(messageOf(prefix, number)))
  return Buffer.concat([Buffer.from(
    'POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
    `X-Signature: ${sign(body, secret)}\r\nContent-Length: ${body.length}\r\n\r\n`
  ), body])
}
