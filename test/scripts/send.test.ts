import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sign } from '../../src/signature/hmac.ts'
import { SECRET, message } from '../helper.ts'
import { COVERED, SEND, allMessages, run } from '../process.ts'
import { sender } from './sender.ts'

t.test('a message is delivered, and its signature, status and answer are printed', async t => {
  const { service, cwd, send } = await sender(t)
  const { code, stdout, stderr } = await send('--text', 'Hi', '--from', '+11', '--to', '+22', '--id', 'x1', '--ts', '2025-01-15T10:00:00Z')
  const expected = message({ message_id: 'x1', from: '+11', to: '+22', text: 'Hi' })
  t.equal(code, 0)
  t.equal(stderr, '')
  t.equal(stdout, `X-Signature: ${sign(Buffer.from(JSON.stringify(expected)), SECRET)}\n200 {"status":"ok"}\n`)
  t.strictSame(await allMessages(service.url), [expected])
  t.equal(statSync(join(cwd, 'data', 'last-sent.json')).mode & 0o777, 0o600)
})

t.test('without options a new message goes out each time', async t => {
  const { service, send } = await sender(t)
  t.equal((await send()).code, 0)
  t.equal((await send()).code, 0)
  const rows = await allMessages(service.url)
  t.equal(new Set(rows.map(row => row['message_id'])).size, 2)
  t.match(rows[0], { from: '+919876543210', to: '+14155550100', text: 'Hello', ts: /^20.*Z$/ })
})

t.test('--repeat delivers the last message again, byte for byte', async t => {
  const { service, send } = await sender(t, {}, COVERED)
  const first = await send('--text', 'once')
  const second = await send('--repeat')
  t.equal(second.code, 0)
  t.equal(second.stdout, first.stdout)
  t.equal((await allMessages(service.url)).length, 1)

  t.equal((await send('--repeat', '--text', 'once')).stdout, first.stdout, 'it fits the other options')
  t.equal((await allMessages(service.url)).length, 1)
})

t.test('--repeat delivers twice when no last message fits', async t => {
  const { service, cwd, send } = await sender(t, {}, COVERED)
  const { code, stdout } = await send('--repeat', '--id', 'x1')
  t.equal(code, 0)
  const [one, other] = [stdout.slice(0, stdout.length / 2), stdout.slice(stdout.length / 2)]
  t.equal(one, other)
  t.equal((await allMessages(service.url)).length, 1)

  t.equal((await send('--repeat', '--id', 'x2')).stdout.match(/200/g)?.length, 2)
  t.equal((await allMessages(service.url)).length, 2)
  writeFileSync(join(cwd, 'data', 'last-sent.json'), 'not JSON')
  t.equal((await send('--repeat', '--id', 'x3')).stdout.match(/^200/gm)?.length, 2)
  t.equal((await allMessages(service.url)).length, 3)
})

t.test('--secret goes before the environment', async t => {
  const { send } = await sender(t, { WEBHOOK_SECRET: 'other' })
  t.equal((await send()).code, 1)
  t.equal((await send('--secret', 'other')).code, 0)
})

t.test('the secret may come from a file', async t => {
  const { service, cwd } = await sender(t)
  writeFileSync(join(cwd, 'key.txt'), `${SECRET}\n`)
  t.equal((await run(t, SEND, cwd, { args: ['--url', service.url], env: { WEBHOOK_SECRET_FILE: 'key.txt' } })).code, 0)
})

t.test('--help lists every option', async t => {
  const { code, stdout } = await run(t, SEND, t.testdir(), { args: ['--help'], execArgv: COVERED })
  t.equal(code, 0)
  const known = [...readFileSync(SEND, 'utf8').matchAll(/^ +(\w+): \{ type: '(?:string|boolean)'/gm)].map(([, name]) => name)
  t.equal(known.length, 12)
  for (const name of known) if (name !== 'help') t.match(stdout, `--${name} `)
})
