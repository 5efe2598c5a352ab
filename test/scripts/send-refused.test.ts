import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freePort } from '../free-port.ts'
import { SECRET } from '../helper.ts'
import { COVERED, SEND, allMessages, run } from '../process.ts'
import { sender } from './sender.ts'

t.test('a delivery that is refused exits with 1', async t => {
  const { service, send } = await sender(t, {}, COVERED)
  const wrong = await send('--secret', 'wrong')
  t.equal(wrong.code, 1)
  t.match(wrong.stdout, /^X-Signature: [0-9a-f]{64}\n401 \{"detail":"invalid signature"\}\n$/)
  t.match(await send('--ts', 'never'), { code: 1, stdout: /\n422 / })
  t.match(await send('--secret', 'wrong', '--count', '5'), { code: 1, stdout: '5 × 401\n' })
  t.match(await send('--repeat', '--secret', 'wrong'), { code: 1, stdout: /401/ })
  t.equal((await allMessages(service.url)).length, 0)
})

t.test('a service that is not there is told in one line', async t => {
  const port = await freePort()

  const cwd = t.testdir()
  const env = { WEBHOOK_SECRET: SECRET, PORT: String(port) }
  for (const args of [[], ['--url', `http://127.0.0.1:${port}`], ['--count', '3']]) {
    const { code, stdout, stderr } = await run(t, SEND, cwd, { args, env, execArgv: COVERED })
    t.equal(code, 1)
    t.equal(stdout, '')
    t.match(stderr, /^[^\n]*ECONNREFUSED[^\n]*\n$/)
  }
})

t.test('what cannot be sent is told in one line, and nothing is kept', async t => {
  const cwd = t.testdir({ 'key.txt': 'key' })
  for (const [args, env, reason] of [
    [[], {}, /no secret: give --secret, or set WEBHOOK_SECRET/],
    [[], { WEBHOOK_SECRET: '' }, /no secret/],
    [[], { PORT: 'banana' }, /Invalid URL/],
    [['--url', 'http://localhost'], { PORT: 'banana' }, /PORT must be an integer from 0 to 65535/],
    [[], { WEBHOOK_SECRET_FILE: 'missing' }, /WEBHOOK_SECRET_FILE must be the path of a readable file/],
    [['--count', '0'], { WEBHOOK_SECRET: SECRET }, /--count must be a positive integer/],
    [['--count=-5'], { WEBHOOK_SECRET: SECRET }, /--count must be a positive integer/],
    [['--count', '1.5'], { WEBHOOK_SECRET: SECRET }, /--count must be a positive integer/],
    [['--count', 'many'], { WEBHOOK_SECRET: SECRET }, /--count must be a positive integer/],
    [['--count', ''], { WEBHOOK_SECRET: SECRET }, /--count must be a positive integer/],
    [['--url', 'banana'], { WEBHOOK_SECRET: SECRET }, /Invalid URL/],
    [['--nonsense'], { WEBHOOK_SECRET: SECRET }, /--nonsense/],
    [['word'], { WEBHOOK_SECRET: SECRET }, /word/]
  ] as const) {
    // One of each way to end is enough for the coverage.
    const execArgv = ['word', '--count'].some(argument => argument === args[0]) ? [] : COVERED
    const { code, stdout, stderr } = await run(t, SEND, cwd, { args, env, execArgv })
    t.equal(code, 1, args.join(' '))
    t.equal(stdout, '')
    t.match(stderr, reason)
    t.match(stderr, /^[^\n]+\n$/, 'one line')
  }
  t.notOk(existsSync(join(cwd, 'data')))
})
