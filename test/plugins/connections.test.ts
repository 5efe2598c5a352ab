import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import completion from '../../plugins/completion.ts'
import connections from '../../plugins/connections.ts'
import { listen } from '../helper.ts'
import { open } from '../wire.ts'

t.test('a connection holds the answer to its latest request, and lets go of it when that is over', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(completion)
  await app.register(connections)
  const gate = Promise.withResolvers<string>()
  app.get('/', () => gate.promise)
  app.post('/early', (_request, reply) => { reply.send('early') })
  app.addContentTypeParser('*', (_request, _payload, done) => { done(null) })
  const { port } = await listen(app)
  const answers = (): unknown[] => [...app.connections.values()]

  const client = await open(port)
  t.teardown(() => client.destroy())
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  while (answers()[0] === undefined) await new Promise(resolve => setImmediate(resolve))
  t.equal(answers().length, 1)
  gate.resolve('answered')
  await once(client, 'data')
  t.strictSame(answers(), [undefined], 'idle')

  client.write('POST /early HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nContent-Length: 10\r\n\r\nhalf')
  await once(client, 'data')
  t.not(answers()[0], undefined, 'the rest of what it sends may still break')

  client.destroy()
  while (answers().length > 0) await new Promise(resolve => setImmediate(resolve))
})
