/**
 * A load generator in a process of its own: keep-alive connections, each with one request under way, over requests that
 * were made beforehand. It does so little per request (no HTTP client, no timers) that it leaves the machine to the server
 * under test; autocannon needs about as much CPU as the servers that are measured here.
 *
 * The parent sends a {@link Load} and gets a {@link LoadResult}.
 */
import { connect, type Socket } from 'node:net'
import { isWhole } from './answer.ts'
import { deliveries } from './messages.ts'
import { latencyOf, type Latency } from './report.ts'

export interface Load {
  readonly port: number
  readonly connections: number
  /** Unique signed deliveries to make before the clock starts. */
  readonly requests: number
  readonly secret: string
  /** The load ends after so many seconds, or with the last request. */
  readonly seconds: number
  /** How long a connection rests after each answer, in ms. */
  readonly pause?: number
}

export interface LoadResult {
  /** Answers of 200. */
  readonly ok: number
  /** All other answers, by status. */
  readonly others: Record<string, number>
  readonly seconds: number
  /** Of the answers of 200. */
  readonly latency: Latency
}

process.once('message', (load: Load) => {
  const requests = deliveries(load.requests, load.secret)
  process.send?.('ready')
  process.once('message', async () => {
    process.send?.(await run(load, requests))
    process.disconnect()
  })
})

async function run ({ port, connections, seconds, pause }: Load, requests: readonly Buffer[]): Promise<LoadResult> {
  const latencies: number[] = []
  const others: Record<string, number> = {}
  const begun = performance.now()
  const end = begun + seconds * 1000
  let next = 0

  await Promise.all(Array.from({ length: connections }, () => new Promise<void>((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let sent = 0
    let answer = ''
    const send = (): void => {
      const request = performance.now() < end ? requests[next++] : undefined
      if (request === undefined) {
        socket.end()
        resolve()
        return
      }
      sent = performance.now()
      socket.write(request)
    }
    socket.setEncoding('latin1')
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (data: string) => {
      answer += data
      if (!isWhole(answer)) return
      const status = answer.slice(9, 12)
      if (status === '200') latencies.push(performance.now() - sent)
      else others[status] = (others[status] ?? 0) + 1
      answer = ''
      if (pause === undefined) send()
      else setTimeout(send, pause)
    })
  })))

  const took = (performance.now() - begun) / 1000
  return { ok: latencies.length, others, seconds: took, latency: latencyOf(latencies) }
}
