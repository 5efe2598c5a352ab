import { readFileSync, statSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { message } from '../helper.ts'
import { COVERED, MAKE_ENV, deliverTo, run, serve } from '../process.ts'

t.test('a secret of 64 hex digits is made, for its owner only', async t => {
  const cwd = t.testdir()
  t.match(await run(t, MAKE_ENV, cwd, { execArgv: COVERED }), { code: 0, stdout: 'made .env with a random WEBHOOK_SECRET\n', stderr: '' })
  t.match(readFileSync(join(cwd, '.env'), 'utf8'), /^WEBHOOK_SECRET=[0-9a-f]{64}\n$/)
  t.equal(statSync(join(cwd, '.env')).mode & 0o777, 0o600)
})

t.test('every secret is another', async t => {
  const folder = t.testdir({ one: {}, other: {} })
  const [one, other] = [join(folder, 'one'), join(folder, 'other')]
  await run(t, MAKE_ENV, one)
  await run(t, MAKE_ENV, other)
  t.not(readFileSync(join(one, '.env'), 'utf8'), readFileSync(join(other, '.env'), 'utf8'))
})

t.test('a .env that is there is never touched, whatever is in it', async t => {
  for (const content of ['', 'WEBHOOK_SECRET=mine\n']) {
    const cwd = t.testdir({ '.env': content })
    t.match(await run(t, MAKE_ENV, cwd, { execArgv: COVERED }), { code: 0, stdout: '', stderr: '' })
    t.equal(readFileSync(join(cwd, '.env'), 'utf8'), content)
  }
})

t.test('none is made when the environment holds a secret', async t => {
  for (const env of [{ WEBHOOK_SECRET: 'mine' }, { WEBHOOK_SECRET_FILE: '/run/secrets/mine' }]) {
    const cwd = t.testdir()
    t.match(await run(t, MAKE_ENV, cwd, { env, execArgv: COVERED }), { code: 0, stdout: '', stderr: '' })
    t.strictSame(readdirSync(cwd), [])
  }
})

t.test('an empty variable is no secret', async t => {
  const cwd = t.testdir()
  t.equal((await run(t, MAKE_ENV, cwd, { env: { WEBHOOK_SECRET: '', WEBHOOK_SECRET_FILE: '' } })).code, 0)
  t.strictSame(readdirSync(cwd), ['.env'])
})

t.test('a folder that cannot be written to is an error', async t => {
  // The folder is gone when the script comes to it: root may write anywhere else.
  const cwd = join(t.testdir({ gone: {} }), 'gone')
  const { code, stdout } = await run(t, MAKE_ENV, cwd, { execArgv: [...COVERED, '--import', "data:text/javascript,import { rmdirSync } from 'node:fs'; rmdirSync(process.cwd())"] })
  t.equal(code, 1)
  t.equal(stdout, '')
})

t.test('the service takes the secret from it', async t => {
  const cwd = t.testdir()
  await run(t, MAKE_ENV, cwd)
  const secret = readFileSync(join(cwd, '.env'), 'utf8').trim().replace('WEBHOOK_SECRET=', '')
  const service = await serve(t, cwd, { WEBHOOK_SECRET: secret })
  t.equal((await deliverTo(service.url, message(), secret)).status, 200)
  await service.end('SIGTERM')
})
