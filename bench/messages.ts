import { randomUUID } from 'node:crypto'
import type { Message } from '../src/message.ts'
import { sign } from '../src/signature/hmac-sha256.ts'

const WORDS = ('order delivery payment invoice tomorrow please confirm address thank you hello office call back number ' +
  'reference customer support waiting train evening window garden market yellow river coffee silver').split(' ')

/** How many different numbers send, and how many receive. */
const SENDERS = 10_000
const RECIPIENTS = 5

/**
 * The message with this number, of a made-up inbox: ten thousand senders, five recipients, some sixty characters of
 * text, `everyMs` between one message and the next. The same number always gives the same message.
 */
export function numberedMessage (number: number, everyMs = 1000): Message {
  const random = generator(number)
  const text = Array.from({ length: 4 + random(12) }, () => WORDS[random(WORDS.length)]).join(' ')
  return {
    message_id: `wamid.${random(2 ** 31).toString(36)}${random(2 ** 31).toString(36)}${number.toString(36)}`,
    from: `+9198${String(random(SENDERS)).padStart(8, '0')}`,
    to: `+1415555010${random(RECIPIENTS)}`,
    ts: new Date(Date.UTC(2025, 0, 1) + number * everyMs).toISOString().replace('.000Z', 'Z'),
    text: `${text} #${number}`
  }
}

/** So many whole HTTP requests, each the delivery of a new message of the present moment. */
export function deliveries (count: number, secret: string): Buffer[] {
  const now = new Date().toISOString()
  return Array.from({ length: count }, (_, number) => {
    const body = Buffer.from(JSON.stringify({ ...numberedMessage(number), message_id: randomUUID(), ts: now }))
    return Buffer.concat([Buffer.from(
      'POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n' +
      `X-Signature: ${sign(body, secret)}\r\nContent-Length: ${body.length}\r\n\r\n`
    ), body])
  })
}

/** A small linear congruential generator: https://en.wikipedia.org/wiki/Linear_congruential_generator (Numerical Recipes). */
function generator (seed: number): (bound: number) => number {
  let state = (seed * 2_654_435_761) >>> 0
  return bound => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * bound)
  }
}
