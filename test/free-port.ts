import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** A port of the loopback interface on which nothing listens, for whoever cannot be given 0. */
export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}
