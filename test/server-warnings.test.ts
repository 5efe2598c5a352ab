import t from 'tap'
import { COVERED, ask, serve, type Env } from './process.ts'

t.test('open reads are warned of once, where others than this machine can reach them', async t => {
  const warnings = async (env: Env, execArgv: readonly string[] = []): Promise<unknown[]> => {
    const service = await serve(t, t.testdir(), env, execArgv)
    t.equal((await ask(`http://127.0.0.1:${service.port}/health/live`)).status, 200)
    t.equal((await service.end('SIGTERM')).stderr, '')
    return service.stdout.map(line => JSON.parse(line)).filter(({ level }) => level === 'warn').map(({ msg }) => msg)
  }
  const open = 'API_KEYS is not set: whoever reaches this machine can read every message'
  const weak = 'API_KEYS holds keys of less than 16 characters, which can be guessed'
  t.strictSame(await warnings({ HOST: '0.0.0.0' }, COVERED), [open])
  t.strictSame(await warnings({ HOST: '0.0.0.0', API_KEYS: 'reader:0123456789abcdef' }), [])
  t.strictSame(await warnings({ HOST: '0.0.0.0', API_KEYS: 'reader:0123456789abcde' }, COVERED), [weak])
  t.strictSame(await warnings({ HOST: 'localhost' }), [])
})
