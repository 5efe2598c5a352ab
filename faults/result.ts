/** What came of faults and soaks: printed for programs, and the last of each kept in data/faults/ for docs/reliability.md. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { madeNow, type Made as Circumstances } from '../bench/made.ts'
import type { Latency } from '../bench/report.ts'
import type { Figures } from './audit.ts'
import type { Room } from './room.ts'

export type Backend = 'sqlite' | 'postgres'

export interface Result extends Partial<Figures> {
  readonly fault: string
  readonly backend: Backend
  readonly measured: Measured
  /** What is worth telling. */
  readonly notes: readonly string[]
  /** What was seen that must not be. */
  readonly broken: readonly string[]
  readonly made: Made
}

export interface Made extends Circumstances {
  /** The version of its server, where that is the backend. */
  readonly postgres?: string
}

/** In ms; null where there was no answer of the kind: that is what JSON makes of NaN. */
export type Times = { readonly [Part in keyof Latency]: number | null }

/** In bytes, before and after. */
export type Rss = readonly [number, number]

/** What some faults measure, each for the columns of its table. */
export interface Measured {
  /** Deliveries by others, without and beside what is done to the service. */
  others?: { readonly usual: Times, readonly beside: Times, readonly rss: Rss }
  overload?: Overload
  /** Files that are no good, and what the service does with each. */
  files?: { readonly file: string, readonly outcome: string }[]
}

/** Rates are in deliveries a second. */
export interface Overload {
  /** What 64 busy connections get. */
  readonly best: number
  readonly offered: number
  /** Of what was offered, what found a connection free. */
  readonly sent: number
  readonly taken: number
  readonly refused: number
  /** Of those that were taken. */
  readonly ok: Times
  readonly refusals: Times
  /** A second later, at half of the best rate. */
  readonly after: Times
  readonly rss: Rss
}

export interface SoakResult extends Figures {
  readonly backend: Backend
  readonly minutes: number
  /** What was offered, in deliveries a second. */
  readonly rate: number
  /** The part of it that was acknowledged. */
  readonly held: number
  readonly refused: number
  /** Deliveries whose connection broke. */
  readonly cutOff: number
  /** In ms. */
  readonly p50: number
  readonly p99: number
  /** How often each disturbance happened. */
  readonly faults: Readonly<Record<string, number>>
  readonly memoryMiB: { readonly early: number, readonly late: number, readonly highest: number }
  readonly broken: readonly string[]
  readonly made: Made
}

export async function madeIn (room: Room): Promise<Made> {
  const made = madeNow()
  if (room.backend === 'sqlite') return made
  const [{ server_version: postgres } = { server_version: '' }] = await room.postgres.query<{ server_version: string }>(room.url, 'SHOW server_version')
  return { ...made, postgres }
}

const FOLDER = join(import.meta.dirname, '..', 'data', 'faults')
const fileOf = (name: string, backend: Backend): string => join(FOLDER, `${name}-${backend}.json`)

export function keep (name: string, result: Result | SoakResult): void {
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(fileOf(name, result.backend), JSON.stringify(result, undefined, 2))
}

/** @returns undefined for what was never run here */
export function kept<Kept extends Result | SoakResult> (name: string, backend: Backend): Kept | undefined {
  const file = fileOf(name, backend)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) as Kept : undefined
}
