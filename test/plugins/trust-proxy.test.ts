/** Whose address is counted, seen by who is limited. */
import t, { type Test } from 'tap'
import type { InjectOptions } from 'fastify'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { ask } from '../process.ts'

const PROXY = '10.0.0.9'

/** Whether two requests are counted as one client's: with a limit of one, the second is then a 429. */
async function areOne (t: Test, TRUST_PROXY: string, ...clients: [address: string, forwarded?: string][]): Promise<boolean> {
  const { app } = await buildApp(t, { RATE_LIMIT: '1', TRUST_PROXY, DATABASE_URL: 'sqlite:///:memory:' })
  const seen: number[] = []
  for (const [remoteAddress, forwarded] of clients) {
    seen.push((await app.inject({ url: '/stats', remoteAddress, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } })).statusCode)
  }
  await app.close()
  t.equal(seen[0], 200)
  return seen[1] === 429
}

t.test('a client cannot take another address by X-Forwarded-For, unless its proxy is trusted', async t => {
  t.ok(await areOne(t, '', ['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']), 'by default')
  t.ok(await areOne(t, 'false', ['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']))
  t.ok(await areOne(t, 'uniquelocal', ['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']), 'it is no proxy')
  t.notOk(await areOne(t, 'uniquelocal', [PROXY, '1.1.1.1'], [PROXY, '2.2.2.2']))
  t.notOk(await areOne(t, '10.0.0.8/30,192.0.2.1', [PROXY, '1.1.1.1'], [PROXY, '2.2.2.2']))
  t.notOk(await areOne(t, 'true', ['192.0.2.1', '1.1.1.1'], ['192.0.2.1', '2.2.2.2']))
})

t.test('what a client writes in front of what its proxy adds changes nothing', async t => {
  for (const trusted of ['1', 'uniquelocal', PROXY]) {
    t.ok(await areOne(t, trusted, [PROXY, '6.6.6.6, 1.1.1.1'], [PROXY, '7.7.7.7, 1.1.1.1']), trusted)
    t.notOk(await areOne(t, trusted, [PROXY, '6.6.6.6, 1.1.1.1'], [PROXY, '6.6.6.6, 2.2.2.2']), trusted)
  }
  t.ok(await areOne(t, '2', [PROXY, '6.6.6.6, 1.1.1.1, 10.0.0.8'], [PROXY, '7.7.7.7, 1.1.1.1, 10.0.0.8']))
  t.notOk(await areOne(t, '2', [PROXY, '1.1.1.1, 10.0.0.8'], [PROXY, '2.2.2.2, 10.0.0.8']))
})

t.test('what is forwarded and is no address counts as the proxy', async t => {
  t.ok(await areOne(t, '1', [PROXY, 'a'], [PROXY, `b${'x'.repeat(5000)}`]))
  t.ok(await areOne(t, '1', [PROXY, 'unknown'], [PROXY]))
  t.notOk(await areOne(t, '1', [PROXY, 'a'], ['10.0.0.8', 'a']))
})

t.test('a network of IPv6 is one client, and an IPv4 address in IPv6 is itself', async t => {
  t.ok(await areOne(t, '', ['2001:db8:0:1::1'], ['2001:db8:0:1:ffff:ffff:ffff:ffff']))
  t.notOk(await areOne(t, '', ['2001:db8:0:1::1'], ['2001:db8:0:2::1']))
  t.ok(await areOne(t, '', ['::ffff:192.0.2.1'], ['192.0.2.1']))
  t.notOk(await areOne(t, '', ['::ffff:192.0.2.1'], ['::ffff:192.0.2.2']))
  t.ok(await areOne(t, '1', [PROXY, '2001:db8:0:1::1'], [PROXY, '2001:DB8:0:1::2']))
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
