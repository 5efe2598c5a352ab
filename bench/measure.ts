/** How much servers take in: what ingest.ts and postgres.ts have in common. */
import { load, SECRET, type Target } from './processes.ts'
import { median, progress, quantile, round } from './report.ts'

/** How long servers run before they are measured, for their compilers, in s. */
const WARM_UP = 3
/** More than any server here takes in a second. */
const DELIVERIES_PER_SECOND = 40_000

export interface Measurement {
  /** Answers of 200 a second. */
  readonly rate: number
  /** User and system time of the whole processes for one of them, in µs. */
  readonly cpu: number
  /** In ms. */
  readonly p50: number
  readonly p99: number
  readonly others: number
}

/** What the columns of {@link row} are. */
export const COLUMNS = ['deliveries/s', 'CPU µs each', 'p50 ms', 'p99 ms', 'not 200', 'rate / bare', 'CPU / bare']
export const CONDITIONS = `each after ${WARM_UP} s of warming up, the servers in turn; each connection with one delivery under way; unique ` +
  'signed bodies, made beforehand.'
export const METHOD = `${CONDITIONS} Logs written to a file, metrics and every index on; each 200 is on disk. Bare Fastify parses ` +
  "the same bodies and answers them. Medians; the last two columns are medians of each round's ratio."

/** Puts a load on servers, its connections shared out evenly. */
export async function measure (
  name: string, servers: readonly Target[], connections: number, seconds: number, secret = SECRET
): Promise<Measurement> {
  const cpuTime = (): number => servers.reduce((sum, server) => sum + server.cpu(), 0)
  const run = (seconds: number) => Promise.all(servers.map(({ port }) => load({
    port, connections: connections / servers.length, requests: DELIVERIES_PER_SECOND / servers.length * seconds, secret, seconds
  })))

  await run(WARM_UP)
  const before = cpuTime()
  const results = await run(seconds)
  const ok = results.reduce((sum, result) => sum + result.ok, 0)
  const measured = {
    rate: results.reduce((sum, result) => sum + result.ok / result.seconds, 0),
    cpu: (cpuTime() - before) / ok * 1e6,
    p50: Math.max(...results.map(({ latency }) => latency.p50)),
    p99: Math.max(...results.map(({ latency }) => latency.p99)),
    others: results.flatMap(({ others }) => Object.values(others)).reduce((sum, count) => sum + count, 0)
  }
  progress(`${name}: ${round(measured.rate)}/s, ${round(measured.cpu)} µs, p99 ${round(measured.p99, 1)} ms`)
  return measured
}

/** A line of the report. */
export function row (name: string, measured: readonly Measurement[], bare: readonly Measurement[]): (string | number)[] {
  const middle = (of: (each: Measurement) => number): number => median(measured.map(of))
  return [
    name,
    round(middle(({ rate }) => rate)),
    round(middle(({ cpu }) => cpu)),
    round(middle(({ p50 }) => p50), 1),
    round(middle(({ p99 }) => p99), 1),
    measured.reduce((sum, { others }) => sum + others, 0),
    round(median(ratios(measured, bare, 'rate')), 2),
    round(median(ratios(measured, bare, 'cpu')), 2)
  ]
}

/** The ratio of each round. */
export function ratios (these: readonly Measurement[], those: readonly Measurement[], of: 'rate' | 'cpu'): number[] {
  return these.map((measured, number) => measured[of] / (those[number] as Measurement)[of])
}

/** A sentence on the ratios of all rounds. */
export function finding (what: string, these: readonly Measurement[], those: readonly Measurement[], of: 'rate' | 'cpu', aim: string): string {
  const at = (part: number): number => round(quantile(ratios(these, those, of), part), 2)
  return `${what}: **${at(0.5)}** (${at(0)} to ${at(1)} over the rounds; the aim is ${aim}).`
}
