/**
 * Signs a message and delivers it, so that nobody has to compute an HMAC by hand: `npm run send -- --help`.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config.ts'
import { sign, type HmacScheme } from '../src/signature/hmac.ts'

const HELP = `npm run send -- [options]

  --text TEXT    default: Hello
  --from NUMBER  default: +919876543210
  --to NUMBER    default: +14155550100
  --id ID        message_id; default: a new one
  --ts TIME      default: now
  --count N      so many messages; those after the first get ids of their own
  --repeat       deliver the last message again, byte for byte; if there is none that fits the other options, deliver twice
  --url URL      default: http://localhost:8000
  --secret KEY   default: WEBHOOK_SECRET, from the environment or .env

Signed as WEBHOOK_SIGNATURE_HEADER, _PREFIX, _ENCODING and _ALGORITHM say.
`

/** Where the last message is kept for --repeat. */
const LAST = 'data/last-sent.json'
/** Deliveries under way at once with --count. */
const CONCURRENCY = 16

type Message = Record<'message_id' | 'from' | 'to' | 'ts' | 'text', string>
interface Answer { readonly status: number, readonly signature: string, readonly body: string }
interface Key { readonly secret: string, readonly scheme: HmacScheme }

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
        text: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string' },
        id: { type: 'string' },
        ts: { type: 'string' },
        count: { type: 'string', default: '1' },
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
  const endpoint = new URL('/webhook', options.url)
  const { webhookSecrets, signatureScheme: scheme } = loadConfig(process.env)
  const secret = options.secret ?? webhookSecrets[0]
  if (!secret) throw new Error('no secret: give --secret, or set WEBHOOK_SECRET in the environment or in .env')
  const count = Number(options.count)
  if (!Number.isInteger(count) || count < 1) throw new Error('--count must be a positive integer')

  const post = (body: string): Promise<Answer> => deliver(endpoint, { secret, scheme }, body)
  const again = options.repeat ? lastSent() : undefined
  if (again !== undefined) return report(await post(again))
  if (count > 1) return sendMany(post, count)

  const body = JSON.stringify(newMessage())
  mkdirSync(dirname(LAST), { recursive: true })
  writeFileSync(LAST, body, { mode: 0o600 })
  const status = report(await post(body))
  return options.repeat ? report(await post(body)) : status
}

function newMessage (): Message {
  return {
    message_id: options.id ?? randomUUID(),
    from: options.from ?? '+919876543210',
    to: options.to ?? '+14155550100',
    ts: options.ts ?? new Date().toISOString(),
    text: options.text ?? 'Hello'
  }
}

/** The body of the last message, if it is the one that the options describe. */
function lastSent (): string | undefined {
  try {
    const body = readFileSync(LAST, 'utf8')
    const last = JSON.parse(body) as Message
    const { text, from, to, ts, id } = options
    const asked = Object.entries({ text, from, to, ts, message_id: id }).filter(([, value]) => value !== undefined)
    return asked.every(([name, value]) => last[name as keyof Message] === value) ? body : undefined
  } catch {
    return undefined
  }
}

async function deliver (endpoint: URL, { secret, scheme }: Key, body: string): Promise<Answer> {
  const header = scheme.header.replace(/\b[a-z]/g, letter => letter.toUpperCase())
  const signature = sign(Buffer.from(body), secret, scheme)
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', [header]: signature },
    body
  })
  return { status: response.status, signature: `${header}: ${signature}`, body: await response.text() }
}

function report ({ status, signature, body }: Answer): 0 | 1 {
  console.log(`${signature}\n${status} ${body}`)
  return status === 200 ? 0 : 1
}

async function sendMany (post: (body: string) => Promise<Answer>, count: number): Promise<0 | 1> {
  const statuses = new Map<number, number>()
  let begun = 0
  let done = 0
  const progress = setInterval(() => console.error(`${done} of ${count}`), 1000)

  const lane = async (): Promise<void> => {
    while (begun < count) {
      const first = begun++ === 0
      const body = JSON.stringify(first ? newMessage() : { ...newMessage(), message_id: randomUUID() })
      for (let times = options.repeat ? 2 : 1; times > 0; times--) {
        const { status } = await post(body)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
      done++
    }
  }
  try {
    await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  } finally {
    clearInterval(progress)
  }

  console.log([...statuses].map(([status, times]) => `${times} × ${status}`).join(', '))
  return statuses.size === 1 && statuses.has(200) ? 0 : 1
}
