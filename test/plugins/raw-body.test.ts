import { setImmediate as turn } from 'node:timers/promises'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import v8 from 'node:v8'
import vm from 'node:vm'
import t from 'tap'
import { buildApp, deliver, get, listen, message } from '../helper.ts'
import { chunk, exchange, head, open, signed } from '../wire.ts'

v8.setFlagsFromString('--expose-gc')
const collectGarbage = vm.runInNewContext('gc') as () => void

/** What is in use, garbage aside, in bytes. */
function memory (): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function untilRead (socket: Socket, bytes: number): Promise<void> {
  while (socket.bytesRead < bytes) await turn()
}

t.test('a body is the same in whatever pieces it comes', async t => {
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  for (const size of [1, 2, 3, 1000, 5000]) {
    const text = `${'😀ß'.repeat(1500)} ${size}`
    const body = Buffer.from(JSON.stringify(message({ message_id: `m${size}`, text })))
    const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, index) => body.subarray(index * size, (index + 1) * size))
    const chunks = Buffer.concat([...pieces, Buffer.alloc(0)].map(chunk))
    t.match(await exchange(port, head('Transfer-Encoding: chunked', 'Connection: close', ...signed(body)), chunks), [{ status: 200 }])
    t.equal((await get(app, `/messages/m${size}`)).body['text'], text)
  }
})

t.test('a body needs memory by its length, not by the number of its pieces', async t => {
  const LENGTH = 300_000
  const { app } = await buildApp(t)
  const { port } = await listen(app)
  await deliver(t, app, message())
  const connected: Promise<Socket[]> = once(app.server, 'connection')
  const client = await open(port)
  const socket = (await connected)[0] as Socket
  const headers = head('Transfer-Encoding: chunked')
  const chunks = chunk(',').toString().repeat(LENGTH / 100)

  const before = memory()
  client.write(headers)
  for (let part = 0; part < 100; part++) await new Promise(resolve => client.write(chunks, resolve))
  await untilRead(socket, headers.length + 100 * chunks.length)
  const held = memory() - before
  client.destroy()

  t.ok(held < LENGTH * 20, `${LENGTH} bytes in pieces of one byte hold ${held}`)
})
