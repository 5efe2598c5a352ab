/** Which signatures are right: the scheme's edges, over HTTP. test/src/signature has the vectors. */
import t from 'tap'
import { createHmac } from 'node:crypto'
import { buildApp, delivery, message, rowsStored, SECRET } from '../helper.ts'

const body = JSON.stringify(message())
const right = createHmac('sha256', SECRET).update(body).digest('hex')

t.test('either letter case of the right digits is accepted', async t => {
  const { app } = await buildApp(t)
  for (const signature of [right, right.toUpperCase(), right.replace(/[a-f]/, digit => digit.toUpperCase())]) {
    t.equal((await app.inject(delivery(body, { 'x-signature': signature }))).statusCode, 200)
  }
})

t.test('anything but exactly the right 64 digits is 401 with one and the same body', async t => {
  const { app } = await buildApp(t)
  const other = right.startsWith('0') ? '1' : '0'
  const wrong: Record<string, string> = {
    'the first digit': other + right.slice(1),
    'the last digit': right.slice(0, -1) + (right.endsWith('0') ? '1' : '0'),
    'a digit short': right.slice(1),
    'a byte short': right.slice(2),
    'a digit more': `${right}0`,
    'a byte more': `${right}00`,
    'a letter that is no digit': `${right.slice(0, -1)}g`,
    'right, then rubbish': `${right}zz`,
    'the prefix of another scheme': `sha256=${right}`,
    'a space inside': `${right.slice(0, 32)} ${right.slice(32)}`,
    quotes: `"${right}"`,
    twice: `${right}, ${right}`,
    base64: createHmac('sha256', SECRET).update(body).digest('base64'),
    sha1: createHmac('sha1', SECRET).update(body).digest('hex'),
    'the secret': SECRET,
    'of an empty body': createHmac('sha256', SECRET).update('').digest('hex'),
    'under another secret': createHmac('sha256', `${SECRET} `).update(body).digest('hex'),
    'under an empty secret': createHmac('sha256', '').update(body).digest('hex'),
    empty: '',
    zeros: '0'.repeat(64)
  }
  for (const [name, signature] of Object.entries(wrong)) {
    const response = await app.inject(delivery(body, { 'x-signature': signature }))
    t.equal(response.statusCode, 401, name)
    t.equal(response.body, '{"detail":"invalid signature"}', name)
  }
  t.equal(await rowsStored(t), 0)
})

t.test('it covers the bytes as received: the same JSON spelled otherwise is another body', async t => {
  const { app } = await buildApp(t)
  const { message_id, ...rest } = message()
  const spellings = [
    ` ${body}`, `${body}\n`, JSON.stringify(message(), null, 1), JSON.stringify({ ...rest, message_id }),
    body.replace('Hello', '\\u0048ello'), body.replace('"m1"', '"\\u006d1"'), `\ufeff${body}`
  ]
  for (const spelling of spellings) {
    t.strictNotSame(spelling, body)
    t.equal((await app.inject(delivery(spelling, { 'x-signature': right }))).statusCode, 401, spelling)
  }
  t.equal(await rowsStored(t), 0)
  t.equal((await app.inject(delivery(JSON.stringify(message(), null, 1)))).statusCode, 200)
})

t.test('an empty body with the right signature is let in, and is no message', async t => {
  const { app } = await buildApp(t)
  const response = await app.inject(delivery(''))
  t.equal(response.statusCode, 422)
  t.strictSame(response.json(), { detail: 'body must be JSON', errors: [{ path: '', message: 'must be JSON' }] })
})

t.test('a secret is taken as UTF-8', async t => {
  const { app } = await buildApp(t, { WEBHOOK_SECRET: 'schlüssel 🔑' })
  const signature = createHmac('sha256', Buffer.from('schlüssel 🔑', 'utf8')).update(body).digest('hex')
  t.equal((await app.inject(delivery(body, { 'x-signature': signature }))).statusCode, 200)
})
