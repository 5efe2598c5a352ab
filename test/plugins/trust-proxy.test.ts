/** Whose address is counted, seen by who is limited. */
import t, { type Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { ask } from '../process.ts'

const PROXY = '10.0.0.9'

type Client = [address: string, forwarded?: string]

/** Tells whether two requests are counted as one client's: with a limit of one, the second is then a 429. The first is always new. */
async function judge (t: Test, TRUST_PROXY: string): Promise<(first: Client, second: Client) => Promise<boolean>> {
  const { app } = await buildApp(t, { RATE_LIMIT: '1', TRUST_PROXY, DATABASE_URL: 'sqlite:///:memory:' })
  const ask = async ([remoteAddress, forwarded]: Client): Promise<number> =>
    (await app.inject({ url: '/stats', remoteAddress, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } })).statusCode
  return async (first, second) => {
    t.equal(await ask(first), 200)
    return await ask(second) === 429
  }
}

t.test('by default, a client cannot take another address by X-Forwarded-For', async t => {
  const areOne = await judge(t, '')
  t.ok(await areOne(['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']))
  t.ok(await areOne([PROXY, '1.1.1.1'], [PROXY, '2.2.2.2']))
  t.ok(await areOne(['2001:db8:0:1::1'], ['2001:db8:0:1:ffff:ffff:ffff:ffff']), 'a network of IPv6 is one client')
  t.notOk(await areOne(['2001:db8:0:2::1'], ['2001:db8:0:3::1']))
  t.ok(await areOne(['::ffff:192.0.2.2'], ['192.0.2.2']), 'an IPv4 address in IPv6 is itself')
  t.notOk(await areOne(['::ffff:192.0.2.3'], ['::ffff:192.0.2.4']))
})

t.test('where addresses are trusted, only theirs is believed, and only what they added', async t => {
  const areOne = await judge(t, '10.0.0.8/30,uniquelocal')
  t.ok(await areOne(['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']), 'it is no proxy')
  t.notOk(await areOne([PROXY, '1.1.1.1'], [PROXY, '2.2.2.2']))
  t.ok(await areOne([PROXY, '6.6.6.6, 1.1.1.2'], [PROXY, '7.7.7.7, 1.1.1.2']))
  t.notOk(await areOne([PROXY, '6.6.6.6, 1.1.1.3'], [PROXY, '6.6.6.6, 1.1.1.4']))
})

t.test('where a number of proxies is trusted, so many are believed', async t => {
  const areOne = await judge(t, '2')
  t.ok(await areOne([PROXY, '6.6.6.6, 1.1.1.1, 10.0.0.8'], [PROXY, '7.7.7.7, 1.1.1.1, 10.0.0.8']))
  t.notOk(await areOne([PROXY, '1.1.1.2, 10.0.0.8'], [PROXY, '2.2.2.2, 10.0.0.8']))
})

t.test('what is forwarded and is no address counts as the proxy', async t => {
  const areOne = await judge(t, '1')
  t.ok(await areOne([PROXY, 'a'], [PROXY, `b${'x'.repeat(5000)}`]))
  t.ok(await areOne(['10.0.0.8', 'unknown'], ['10.0.0.8']))
  t.notOk(await areOne(['10.0.0.7', 'a'], ['10.0.0.6', 'a']))
  t.ok(await areOne([PROXY, '2001:db8:0:1::1'], [PROXY, '2001:DB8:0:1::2']))
})

t.test('where everybody is trusted, what stands leftmost is believed', async t => {
  const areOne = await judge(t, 'true')
  t.notOk(await areOne(['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']))
  t.ok(await areOne(['192.0.2.1', '1.1.1.2, 6.6.6.6'], ['192.0.2.2', '1.1.1.2']))
})

t.test('over sockets, a forged header earns no more 401s, and takes no delivery away', async t => {
  const { app } = await buildApp(t, { RATE_LIMIT: '2' })
  const { url } = await listen(app)
  const forge = (n: number) => ask(`${url}/webhook`, { method: 'POST', body: '{}', headers: { 'x-forwarded-for': `1.1.1.${n}`, forwarded: `for=1.1.1.${n}`, 'x-real-ip': `1.1.1.${n}` } })
  const seen: (number | undefined)[] = []
  for (let n = 0; n < 4; n++) seen.push((await forge(n)).status)
  t.strictSame(seen, [401, 401, 429, 429])
  const { headers, payload } = delivery(message()) as InjectOptions & { headers: Record<string, string>, payload: Buffer }
  t.equal((await ask(`${url}/webhook`, { method: 'POST', body: payload.toString(), headers })).status, 200)
})
