/** Deliveries of a thousand messages, and a process that is killed while it stores them. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { killAmid } from './lane.ts'
import { ask, serve } from './process.ts'
import { inspect, wrongCounters } from './src/storage/inspect.ts'
import { sign } from '../src/signature/hmac.ts'
import { WHATSAPP_SCHEME } from '../src/signature/whatsapp.ts'

const SECRET = 'app-secret'
const MESSAGES = 1000
const KILLS = 6

/** A delivery as WhatsApp makes it, of a thousand messages in several entries. */
function batch (name: string): string {
  const message = (number: number): object => ({
    from: '919876543210', id: `wamid.${name}.${number}`, timestamp: '1736935200', type: 'text', text: { body: `No. ${number} of ${name}` }
  })
  const entry = (first: number): object => ({
    id: '1', changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '14155550100', phone_number_id: '2' }, messages: Array.from({ length: 100 }, (_, index) => message(first + index)) } }]
  })
  return JSON.stringify({ object: 'whatsapp_business_account', entry: Array.from({ length: MESSAGES / 100 }, (_, index) => entry(index * 100)) })
}

t.test('after any kill -9 a delivery of a thousand messages is there whole or not at all, and whole if it was acknowledged', async t => {
  const cwd = t.testdir()
  const acknowledged = new Set<string>()
  let next = 0

  for (let round = 0; round < KILLS; round++) {
    const service = await serve(t, cwd, { WHATSAPP_APP_SECRET: SECRET })
    const first = Promise.withResolvers<void>()
    const lane = async (): Promise<void> => {
      for (;;) {
        const name = `b${next++}`
        const body = batch(name)
        const { status } = await ask(`${service.url}/webhook/whatsapp`, {
          method: 'POST', body, headers: { 'content-type': 'application/json', [WHATSAPP_SCHEME.header]: sign(Buffer.from(body), SECRET, WHATSAPP_SCHEME) }
        })
        if (status !== 200) throw new Error(`answered ${status}`)
        acknowledged.add(name)
        first.resolve()
      }
    }
    const lanes = Array.from({ length: 4 }, lane)
    await Promise.race([first.promise, ...lanes])
    // At any moment of what comes next: reading, verifying, storing, answering.
    await delay(12 * round)
    await killAmid(t, service, lanes)
  }

  const service = await serve(t, cwd)
  t.equal((await ask(`${service.url}/health/ready`)).status, 200)
  t.equal((await service.end('SIGTERM')).code, 0)

  const file = join(cwd, 'data', 'app.db')
  const stored = inspect(file, database => database.prepare<[], { name: string, messages: number }>(`
    SELECT substr(message_id, 7, instr(substr(message_id, 7), '.') - 1) AS name, count(*) AS messages FROM messages GROUP BY 1`).all())
  t.strictSame(stored.filter(({ messages }) => messages !== MESSAGES), [], 'every delivery is whole')
  const names = new Set(stored.map(({ name }) => name))
  t.strictSame([...acknowledged].filter(name => !names.has(name)), [], 'what was acknowledged is there')
  t.ok(acknowledged.size >= KILLS)
  t.strictSame(wrongCounters(file), [])
})
