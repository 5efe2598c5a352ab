import { randomUUID } from 'node:crypto'
import type { Message } from '../src/message.ts'
import { sign } from '../src/signature/hmac.ts'

const WORDS = ('order delivery payment invoice tomorrow please confirm address thank you hello office call back number ' +
  'reference customer support waiting train evening window garden market yellow river coffee silver').split(' ')

/** How many different numbers send, and how many receive. */
const SENDERS = 10_000
const RECIPIENTS = 5

/** One message in so many carries a name that few others carry. */
const NAMED = 5000
const SYLLABLES = 'bafugikolumexanozipyqua'.match(/[^aeiouy]+[aeiouy]+/g) as string[]

/** The name in one of the messages up to this one. */
export function rareWord (number: number): string {
  const random = generator(number - number % NAMED)
  return Array.from({ length: 4 }, () => SYLLABLES[random(SYLLABLES.length)]).join('')
}

/**
 * The message with this number, of a made-up inbox: ten thousand senders, five recipients, some seventy characters of
 * text, `everyMs` between one message and the next. The same number always gives the same message.
 */
export function numberedMessage (number: number, everyMs = 1000): Message {
  const random = generator(number)
  const words = Array.from({ length: 4 + random(12) }, () => WORDS[random(WORDS.length)])
  if (number % NAMED === 0) words.push(rareWord(number))
  return {
    message_id: `wamid.${random(2 ** 31).toString(36)}${random(2 ** 31).toString(36)}${number.toString(36)}`,
    from: `+9198${String(random(SENDERS)).padStart(8, '0')}`,
    to: `+1415555010${random(RECIPIENTS)}`,
    ts: new Date(Date.UTC(2025, 0, 1) + number * everyMs).toISOString().replace('.000Z', 'Z'),
    text: `${words.join(' ')} #${number}`
  }
}

/** Deliveries that the made-up provider sends in a second, by the `ts` of its messages. */
const DELIVERIES_PER_SECOND = 8000

/** So many whole HTTP requests, each the delivery of a new message, from the present moment on. */
export function deliveries (count: number, secret: string): Buffer[] {
  const begun = Date.now()
  return Array.from({ length: count }, (_, number) => {
    const ts = new Date(begun + number / DELIVERIES_PER_SECOND * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
    const body = Buffer.from(JSON.stringify({ ...numberedMessage(number), message_id: randomUUID(), ts }))
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
