import t from 'tap'
import { once } from 'node:events'
import type { Completion } from '../../plugins/completion.ts'
import { buildApp, delivery, listen, message } from '../helper.ts'
import { exchange, head, open, post } from '../wire.ts'

t.test('a request ends once, with its status and its time in ms', async t => {
  const { app } = await buildApp(t)
  const ended: Completion[] = []
  app.onCompletion(completion => { ended.push(completion) })
  await app.inject(delivery(message()))
  await app.inject('/nowhere')
  t.strictSame(ended.map(({ status, request }) => [request.method, request.url, status]), [['POST', '/webhook', 200], ['GET', '/nowhere', 404]])
  for (const { latency } of ended) t.ok(latency > 0 && latency < 10_000, `${latency} ms`)
})

for (const [way, leave] of [['closes', 'destroy'], ['resets', 'resetAndDestroy']] as const) {
  t.test(`a request whose client ${way} the connection in mid-body ends once, as 499`, async t => {
    const { app, lines, requestLines } = await buildApp(t)
    const { port } = await listen(app)
    for (const begin of [head('Content-Length: 100') + '{"message_id"', head('Transfer-Encoding: chunked') + '5\r\n{"mes\r\n']) {
      const ended = new Promise<Completion>(resolve => app.onCompletion(resolve))
      const begun = once(app.server, 'request')
      const socket = await open(port)
      socket.write(begin)
      await begun
      socket[leave]()
      await ended
    }
    t.match(requestLines(), Array(2).fill({ level: 'info', method: 'POST', path: '/webhook', status: 499, dup: false }))
    t.equal(lines.length, 3, 'these and the one about listening')
  })
}

t.test('a request whose client leaves before the answer ends once, and its message is stored', async t => {
  const { app, lines } = await buildApp(t)
  const { port } = await listen(app)
  const ended = new Promise<Completion>(resolve => app.onCompletion(resolve))
  const socket = await open(port)
  socket.write(post(JSON.stringify(message())), () => socket.destroy())
  const { status } = await ended
  t.ok(status === 200 || status === 499, String(status))
  t.equal((await app.inject('/messages/m1')).statusCode, 200)
  t.equal(lines.filter(({ path }) => path === '/webhook').length, 1)
})

t.test('requests on one connection end each for itself', async t => {
  const { app, requestLines } = await buildApp(t)
  const { port } = await listen(app)
  await exchange(port, Buffer.concat(['a', 'b', 'c'].map(id => post(JSON.stringify(message({ message_id: id })), ...id === 'c' ? ['Connection: close'] : []))))
  t.strictSame(requestLines().map(({ message_id: id, status }) => [id, status]), [['a', 200], ['b', 200], ['c', 200]])
})
