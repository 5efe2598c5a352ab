/**
 * The feed: how long a message is under way to a client, what many clients cost, and whether the intake feels them.
 *
 * `npm run bench:feed -- [--rounds 3] [--seconds 5] [--rate 200] [--json]`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { sign } from '../src/signature/hmac.ts'
import type { Clients, FeedResult } from './feed-clients.ts'
import { numberedMessage } from './messages.ts'
import { load, SECRET, startLetterbox, type Server } from './processes.ts'
import { median, print, progress, quantile, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const rate = Number(values.rate)
const MIB = 2 ** 20

const SETTINGS = [
  { name: 'none', count: 0, filtered: false },
  { name: '1', count: 1, filtered: false },
  { name: '100', count: 100, filtered: false },
  { name: '1,000', count: 1000, filtered: false },
  { name: '1,000, each of one sender', count: 1000, filtered: true }
] as const

interface Figures { p50: number, p99: number, rss: number, cpu: number, ingest: number, full: number }

const figures = new Map<string, Figures[]>(SETTINGS.map(({ name }) => [name, []]))
const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
let files = 0
try {
  for (let number = 0; number < Number(values.rounds); number++) {
    for (const setting of SETTINGS) {
      const server = await startLetterbox(folder, join(folder, `${++files}.db`))
      await load({ port: server.port, connections: 64, requests: 20_000, secret: SECRET, seconds: 2 })
      const clients = fork(join(import.meta.dirname, 'feed-clients.ts'))
      clients.send({ url: server.url, count: setting.count, filtered: setting.filtered } satisfies Clients)
      await once(clients, 'message')
      const sample = async (): Promise<FeedResult> => {
        clients.send('sample')
        return (await once(clients, 'message') as [FeedResult])[0]
      }

      const before = server.cpu()
      const sent = await pace(server)
      await delay(300)
      const { latencies } = await sample()
      const cpu = (server.cpu() - before) / sent.seconds * 100
      const full = await load({ port: server.port, connections: 64, requests: 20_000 * seconds, secret: SECRET, seconds })
      const measured = {
        p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), rss: server.rss() / MIB, cpu, ingest: sent.p99, full: full.ok / full.seconds
      }
      figures.get(setting.name)?.push(measured)
      progress(`${setting.name}: ${JSON.stringify(measured)} ${JSON.stringify(full.others)}`)
      clients.disconnect()
      await server.stop()
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

const middle = (name: string, of: keyof Figures): number => median((figures.get(name) ?? []).map(each => each[of]))
print({
  title: 'Feed',
  method: `Streams of Server-Sent Events that are open while ${rate} deliveries a second come for ${seconds} s, and then as many as 64 connections bring; all on one ` +
    'machine, the clients in a process of their own. The time of a message is from its storing, before the commit, to the client, seen by ten of them. ' +
    `Medians of ${values.rounds} rounds.`,
  columns: ['feeds', 'p50 ms', 'p99 ms', 'CPU %', 'p99 of a delivery, ms', 'RSS MiB after', 'deliveries/s at most'],
  rows: SETTINGS.map(({ name }) => [
    name, ...(['p50', 'p99'] as const).map(of => name === 'none' ? '' : round(middle(name, of))), round(middle(name, 'cpu')), round(middle(name, 'ingest'), 1), round(middle(name, 'rss')),
    round(middle(name, 'full'))
  ]),
  findings: [
    `p99 of a message with 1,000 feeds: **${round(middle('1,000', 'p99'))} ms** (the aim is under 100).`,
    `Deliveries beside 1,000 feeds of one sender each, against none: **${round(median(ratios('1,000, each of one sender')), 2)}**; beside 1,000 that want all: ${round(median(ratios('1,000')), 2)}.`
  ]
})

function ratios (name: string): number[] {
  return (figures.get(name) ?? []).map(({ full }, number) => full / (figures.get('none')?.[number]?.full ?? NaN))
}

/** Delivers at a steady rate, whatever the answers take. */
async function pace ({ url }: Server): Promise<{ seconds: number, p99: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const begun = performance.now()
  const times: number[] = []
  const sent: Promise<void>[] = []
  for (let number = 0; number < rate * seconds; number++) {
    const due = begun + number / rate * 1000
    if (due > performance.now()) await delay(due - performance.now())
    sent.push(deliver(`${url}/webhook`, agent, number).then(time => { times.push(time) }))
  }
  await Promise.all(sent)
  agent.destroy()
  return { seconds: (performance.now() - begun) / 1000, p99: quantile(times, 0.99) }
}

/** @returns how long it took, in ms */
async function deliver (url: string, agent: Agent, number: number): Promise<number> {
  const begun = performance.now()
  const body = JSON.stringify({ ...numberedMessage(number), message_id: `paced ${number}` })
  const sent = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json', 'x-signature': sign(Buffer.from(body), SECRET) } }).end(body)
  const [response] = await once(sent, 'response') as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`a delivery was answered ${response.statusCode}`)
  response.resume()
  await once(response, 'end')
  return performance.now() - begun
}
