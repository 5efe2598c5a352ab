/**
 * How long a provider waits for the answer to a delivery of many messages: WhatsApp's, up to the 3 MB that it sends at most,
 * one after the other with a rest between, on SQLite and on PostgreSQL.
 *
 * `npm run bench:batches -- [--deliveries 20] [--rest 1000] [--json]`
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sign } from '../src/signature/hmac.ts'
import { WHATSAPP_SCHEME } from '../src/signature/whatsapp.ts'
import { launchPostgres } from '../test/postgres.ts'
import { numberedMessage } from './messages.ts'
import { startLetterbox } from './processes.ts'
import { print, progress, quantile, round } from './report.ts'

const { values } = parseArgs({
  options: { deliveries: { type: 'string', default: '20' }, rest: { type: 'string', default: '1000' }, json: { type: 'boolean', default: false } }
})

const SECRET = 'app-secret-of-the-bench'
/** Bytes that Meta puts into a delivery at most. */
const LARGEST = 3_000_000
const SHAPES = [
  { name: '1 message', messages: 1, text: 70 },
  { name: '1,000 messages', messages: 1000, text: 70 },
  { name: '3 MB of short messages', messages: Infinity, text: 70 },
  { name: '3 MB of messages of 4,096 characters', messages: Infinity, text: 4096 }
]

let sent = 0

/** A delivery of so many new messages, or as many as fit. */
function delivery ({ messages, text }: typeof SHAPES[number]): { body: string, count: number } {
  const items: string[] = []
  const [head, tail] = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '14155550100', phone_number_id: '2' }, messages: ['ITEMS'] } }] }]
  }).split('"ITEMS"') as [string, string]
  let size = head.length + tail.length
  while (items.length < messages) {
    const { from, text: body, ts } = numberedMessage(sent++)
    const item = JSON.stringify({
      from: from.slice(1), id: `wamid.${randomUUID()}`, timestamp: String(Date.parse(ts) / 1000), type: 'text', text: { body: String(body).padEnd(text, '.').slice(0, text) }
    })
    size += item.length + 1
    if (size > LARGEST) break
    items.push(item)
  }
  return { body: head + items.join() + tail, count: items.length }
}

async function post (url: string, body: string): Promise<number> {
  const signature = sign(Buffer.from(body), SECRET, WHATSAPP_SCHEME)
  const begun = performance.now()
  const response = await fetch(`${url}/webhook/whatsapp`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', [WHATSAPP_SCHEME.header]: signature } })
  if (await response.text() !== '{"status":"ok"}') throw new Error(`answered ${response.status}`)
  return performance.now() - begun
}

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const postgres = await launchPostgres(['shared_buffers=1GB', 'max_wal_size=4GB'])
const table: (string | number)[][] = []
try {
  for (const [backend, url] of [['SQLite', join(folder, 'batches.db')], ['PostgreSQL', await postgres.createDatabase()]] as const) {
    const server = await startLetterbox(folder, url, { WHATSAPP_APP_SECRET: SECRET })
    for (const shape of SHAPES) {
      const times: number[] = []
      let messages = 0
      // Not counted: the first ones, which a new process takes its time for.
      for (let number = -3; number < Number(values.deliveries); number++) {
        const { body, count } = delivery(shape)
        await delay(Number(values.rest))
        messages = count
        const time = await post(server.url, body)
        if (number >= 0) times.push(time)
      }
      table.push([`${backend}, ${shape.name}`, messages, round(quantile(times, 0.5), 1), round(Math.max(...times), 1)])
      progress(table.at(-1)?.join('  ') ?? '')
    }
    await server.stop()
  }
} finally {
  await postgres.remove()
  rmSync(folder, { recursive: true })
}

print({
  title: 'Deliveries of many messages',
  method: `${values.deliveries} deliveries of each kind, ${values.rest} ms between one and the next, every message new; from the first byte sent to the answer, all of it being on disk. ms.`,
  columns: ['delivery', 'messages', 'p50', 'max'],
  rows: table,
  findings: ['Aim: 3 MB in under a second.']
})
