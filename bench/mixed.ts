/**
 * Whether the intake feels the readers: its latency alone, and beside four clients that send the worst questions.
 *
 * `npm run bench:mixed -- [--rounds 5] [--seconds 5] [--rows 1000000] [--json]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from './client.ts'
import { copyOfInbox } from './inbox.ts'
import { load, SECRET, startLetterbox, type Server } from './processes.ts'
import type { LoadResult } from './load.ts'
import { median, print, progress, quantile, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    rows: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const rows = Number(values.rows)

/** Every row looked at; every hit counted; far down by offset; two conditions that no index has together. */
const WORST = [
  '/messages?q=zq',
  '/messages?q=order',
  `/messages?offset=${rows - 50}`,
  '/messages?from=%2B919800000042&to=%2B14155550101&q=order&since=2025-01-01T00:00:00Z'
]
const CLIENTS = 4

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const alone: LoadResult[] = []
const beside: LoadResult[] = []
let asked = 0
let refused = 0
try {
  const server = await startLetterbox(folder, await copyOfInbox(rows, folder))
  await deliver(server)
  for (let number = 0; number < Number(values.rounds); number++) {
    alone.push(await deliver(server))
    const stop = ask(server)
    beside.push(await deliver(server))
    await stop()
    progress(`p99 alone ${round(alone.at(-1)?.latency.p99 ?? NaN)} ms, beside ${round(beside.at(-1)?.latency.p99 ?? NaN)} ms`)
  }
  await server.stop()
} finally {
  rmSync(folder, { recursive: true })
}

const ratios = beside.map(({ latency }, number) => latency.p99 / (alone[number]?.latency.p99 ?? NaN))
const row = (name: string, results: readonly LoadResult[]): (string | number)[] => [
  name,
  round(median(results.map(({ ok, seconds }) => ok / seconds))),
  ...(['p50', 'p99', 'max'] as const).map(part => round(median(results.map(({ latency }) => latency[part])), 1)),
  results.reduce((sum, { others }) => sum + Object.values(others).reduce((a, b) => a + b, 0), 0)
]

print({
  title: 'Mixed',
  method: `${values.rounds} rounds, each ${seconds} s of deliveries over 64 connections into ${rows.toLocaleString('en')} rows alone, then ${seconds} s beside ` +
    `${CLIENTS} clients that send the worst questions without a pause. Medians of the rounds; ms.`,
  columns: ['deliveries', 'a second', 'p50', 'p99', 'max', 'not 200'],
  rows: [row('alone', alone), row('beside the readers', beside)],
  findings: [
    `p99 beside the readers against alone: **${round(median(ratios), 2)}** (${round(quantile(ratios, 0), 2)} to ` +
    `${round(quantile(ratios, 1), 2)} over the rounds; the aim is under 2).`,
    `${asked} questions were asked meanwhile, and ${refused} given up after five seconds.`
  ]
})

function deliver ({ port }: Server): Promise<LoadResult> {
  return load({ port, connections: 64, requests: 20_000 * seconds, secret: SECRET, seconds })
}

/** Starts the clients. @returns what stops them */
function ask ({ url }: Server): () => Promise<void> {
  const asking = new AbortController()
  const clients = Array.from({ length: CLIENTS }, async (_, first) => {
    const client = new Client(url)
    for (let next = first; !asking.signal.aborted; next++) {
      const { status } = await client.ask(WORST[next % WORST.length] as string)
      asked++
      if (status === 503) refused++
    }
    client.close()
  })
  return async () => {
    asking.abort()
    await Promise.all(clients)
  }
}
