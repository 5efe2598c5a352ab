/**
 * How many deliveries Letterbox takes in, against bare Fastify, and into a full database against an empty one: in turn,
 * in one run, since machines are noisy.
 *
 * `npm run bench:ingest -- [--rounds 5] [--seconds 5] [--connections 64] [--rows 5000000] [--json]`; `--rows 0` leaves out
 * the full database.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyOfInbox } from './inbox.ts'
import { load, SECRET, start, startLetterbox, type Server } from './processes.ts'
import { median, print, progress, quantile, round } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    rows: { type: 'string', default: '5000000' },
    json: { type: 'boolean', default: false }
  }
})
const seconds = Number(values.seconds)
const connections = Number(values.connections)
const rows = Number(values.rows)

/** How long a server runs before it is measured, for its compiler, in s. */
const WARM_UP = 3
/** More than any server here takes in a second. */
const DELIVERIES_PER_SECOND = 40_000

interface Measurement {
  /** Answers of 200 a second. */
  readonly rate: number
  /** User and system time of the whole process for one of them, in µs. */
  readonly cpu: number
  /** In ms. */
  readonly p50: number
  readonly p99: number
  readonly others: number
}

const folder = mkdtempSync(join(tmpdir(), 'letterbox-bench-'))
const bare: Measurement[] = []
const empty: Measurement[] = []
const full: Measurement[] = []
try {
  const inbox = rows > 0 ? await copyOfInbox(rows, folder) : undefined
  for (let number = 0; number < Number(values.rounds); number++) {
    bare.push(await measure('bare Fastify', await start('bare.ts', folder)))
    empty.push(await measure('an empty database', await startLetterbox(folder, join(folder, `empty-${number}.db`))))
    if (inbox !== undefined) full.push(await measure(`${rows} rows`, await startLetterbox(folder, inbox)))
  }
} finally {
  rmSync(folder, { recursive: true })
}

const row = (name: string, measured: readonly Measurement[]): (string | number)[] => [
  name,
  round(median(measured.map(({ rate }) => rate))),
  round(median(measured.map(({ cpu }) => cpu))),
  round(median(measured.map(({ p50 }) => p50)), 1),
  round(median(measured.map(({ p99 }) => p99)), 1),
  measured.reduce((sum, { others }) => sum + others, 0),
  round(median(ratios(measured, bare, ({ rate }) => rate)), 2),
  round(median(ratios(measured, bare, ({ cpu }) => cpu)), 2)
]

print({
  title: 'Ingest',
  method: `${values.rounds} rounds of ${seconds} s each after ${WARM_UP} s of warming up, the servers in turn; ${connections} connections, each ` +
    'with one delivery under way; unique signed bodies, made beforehand; logs written to a file, metrics and every index ' +
    'on; each 200 is on disk. Bare Fastify parses the same bodies and answers them. Medians; the last two columns are medians of each round\'s ratio.',
  columns: ['server', 'deliveries/s', 'CPU µs each', 'p50 ms', 'p99 ms', 'not 200', 'rate / bare', 'CPU / bare'],
  rows: [
    row('bare Fastify', bare),
    row('Letterbox, empty database', empty),
    ...full.length > 0 ? [row(`Letterbox, ${rows.toLocaleString('en')} rows`, full)] : []
  ],
  findings: [
    finding('Rate against bare Fastify', ratios(empty, bare, ({ rate }) => rate), 'at least 0.33'),
    finding('CPU for a delivery against bare Fastify', ratios(empty, bare, ({ cpu }) => cpu), 'at most 3.5'),
    ...full.length > 0 ? [finding('Rate into the full database against the empty one', ratios(full, empty, ({ rate }) => rate), 'at least 0.7')] : []
  ]
})

async function measure (name: string, server: Server): Promise<Measurement> {
  await load({ port: server.port, connections, requests: DELIVERIES_PER_SECOND * WARM_UP, secret: SECRET, seconds: WARM_UP })
  const before = server.cpu()
  const result = await load({ port: server.port, connections, requests: DELIVERIES_PER_SECOND * seconds, secret: SECRET, seconds })
  const cpu = (server.cpu() - before) / result.ok * 1e6
  await server.stop()
  const others = Object.values(result.others).reduce((sum, count) => sum + count, 0)
  const measured = { rate: result.ok / result.seconds, cpu, p50: result.latency.p50, p99: result.latency.p99, others }
  progress(`${name}: ${round(measured.rate)}/s, ${round(cpu)} µs, p99 ${round(measured.p99, 1)} ms`)
  return measured
}

function ratios (these: readonly Measurement[], those: readonly Measurement[], of: (measured: Measurement) => number): number[] {
  return these.map((measured, number) => of(measured) / of(those[number] as Measurement))
}

function finding (what: string, found: readonly number[], aim: string): string {
  const digits = (part: number): number => round(quantile(found, part), 2)
  return `${what}: **${digits(0.5)}** (${digits(0)} to ${digits(1)} over the rounds; the aim is ${aim}).`
}
