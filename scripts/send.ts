/**
 * Signs a message and delivers it, so that nobody has to compute an HMAC by hand: `npm run send -- --help`.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { sendMany } from './send/many.ts'
import { plain } from './send/plain.ts'
import type { Sender, Sent, Sign } from './send/sender.ts'
import { standard } from './send/standard.ts'
import { twilio } from './send/twilio.ts'
import { whatsapp } from './send/whatsapp.ts'

const HELP = `npm run send -- [options]

  --as PROVIDER  as this provider does it: webhook, standard, twilio or whatsapp; default: webhook
  --text TEXT    default: Hello
  --from NUMBER  default: +919876543210
  --to NUMBER    default: +14155550100
  --id ID        message_id; default: a new one
  --ts TIME      default: now
  --count N      so many messages; those after the first get ids of their own
  --batch N      so many of them in one delivery, as whatsapp
  --repeat       deliver the last message again, byte for byte; if there is none that fits the other options, deliver twice; with --count,
                 deliver each of them twice
  --url URL      default: http://localhost:PORT, where PORT comes from the environment or .env, or is 8000
  --secret KEY   default: WEBHOOK_SECRET, or that of the provider, from the environment or .env

Signed as WEBHOOK_SIGNATURE_HEADER, _PREFIX, _ENCODING and _ALGORITHM say, or as the provider does. Twilio signs PUBLIC_URL.
`

const SENDERS = new Map<string, Sender>(Object.entries({ webhook: plain, standard, twilio, whatsapp }))

/** Where the last message is kept for --repeat. */
const LAST = 'data/last-sent.json'

interface Answer { readonly status: number, readonly signature: string, readonly body: string }

const options = readOptions()
try {
  if (options.help) console.log(HELP)
  else process.exitCode = await send()
} catch (error) {
  fail(error as Error)
}

function readOptions () {
  try {
    return parseArgs({
      options: {
        as: { type: 'string', default: 'webhook' },
        text: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        id: { type: 'string' },
        ts: { type: 'string' },
        count: { type: 'string', default: '1' },
        batch: { type: 'string', default: '1' },
        repeat: { type: 'boolean', default: false },
        url: { type: 'string', default: `http://localhost:${process.env['PORT'] || 8000}` },
        secret: { type: 'string' },
        help: { type: 'boolean', default: false }
      }
    }).values
  } catch (error) {
    return fail(error as Error)
  }
}

function fail ({ message, cause }: Error): never {
  console.error(cause instanceof Error ? `${message}: ${(cause as NodeJS.ErrnoException).code ?? cause.message}` : message)
  process.exit(1)
}

async function send (): Promise<0 | 1> {
  const sender = SENDERS.get(options.as)
  if (sender === undefined) throw new Error(`--as must be ${[...SENDERS.keys()].join(', ')}`)
  const endpoint = new URL(sender.path, options.url)
  const sign = sender.signer(loadConfig(process.env), options.secret)
  if (sign === undefined) throw new Error(`no secret: give --secret, or set ${sender.variable} in the environment or in .env`)
  const [count, batch] = [positive('count'), positive('batch')]
  if (batch > 1 && !sender.batches) throw new Error('--batch needs --as whatsapp')

  const post = (messages: readonly Sent[]): Promise<Answer> => deliver(sender, sign, endpoint, messages)
  const again = options.repeat && count === 1 ? lastSent() : undefined
  if (again !== undefined) return report(await post([again]))
  if (count > 1) {
    const make = (place: number): Sent => newMessage(place === 0 ? options.id ?? sender.newId() : sender.newId())
    return sendMany({ count, batch, times: options.repeat ? 2 : 1 }, make, async messages => (await post(messages)).status)
  }

  const message = newMessage(options.id ?? sender.newId())
  mkdirSync(dirname(LAST), { recursive: true })
  writeFileSync(LAST, JSON.stringify(message), { mode: 0o600 })
  const status = report(await post([message]))
  return options.repeat ? report(await post([message])) : status
}

function positive (name: 'count' | 'batch'): number {
  const number = Number(options[name])
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} must be a positive integer`)
  return number
}

function newMessage (id: string): Sent {
  return {
    message_id: id,
    from: options.from ?? '+919876543210',
    to: options.to ?? '+14155550100',
    ts: options.ts ?? new Date().toISOString(),
    text: options.text ?? 'Hello'
  }
}

/** The last message, if it is the one that the options describe. */
function lastSent (): Sent | undefined {
  try {
    const last = JSON.parse(readFileSync(LAST, 'utf8')) as Sent
    const { text, from, to, ts, id } = options
    const asked = Object.entries({ text, from, to, ts, message_id: id }).filter(([, value]) => value !== undefined)
    return asked.every(([name, value]) => last[name as keyof Sent] === value) ? last : undefined
  } catch {
    return undefined
  }
}

async function deliver ({ contentType, body: bodyOf }: Sender, sign: Sign, endpoint: URL, messages: readonly Sent[]): Promise<Answer> {
  const body = bodyOf(messages)
  const headers = sign(body, messages[0]?.message_id ?? '', endpoint)
  const response = await fetch(endpoint, { method: 'POST', headers: { 'Content-Type': contentType, ...headers }, body })
  const [[name, value] = []] = Object.entries(headers)
  return { status: response.status, signature: `${name}: ${value}`, body: await response.text() }
}

function report ({ status, signature, body }: Answer): 0 | 1 {
  console.log(`${signature}\n${status} ${body}`)
  return status === 200 ? 0 : 1
}
