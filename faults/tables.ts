/** The columns in which results are shown, on the page and in the terminal. */
import type { Figures } from './audit.ts'
import type { Overload, Result, Rss, SoakResult, Times } from './result.ts'

export type TableName = 'faults' | 'files' | 'clients' | 'overload'

export interface Columns {
  readonly heads: readonly string[]
  /** Most results have one row; none where the fault failed before it measured. */
  rows (result: Result): readonly (readonly string[])[]
}

/** What an overload should leave: the part of the best rate that is still taken, and answers within so many ms. */
const AIMS = { goodput: 0.8, ok: 1000, refusals: 50, after: 1000 }
const MIB = 2 ** 20

export const TABLES: Readonly<Record<TableName, Columns>> = {
  faults: {
    heads: ['sent', 'acknowledged', 'found', 'lost', 'twice', 'what was seen'],
    rows: result => [[...counts(result), result.notes.join('; ')]]
  },
  files: {
    heads: ['the file is', 'what comes of it'],
    rows: ({ measured: { files = [] } }) => files.map(({ file, outcome }) => [file, outcome])
  },
  clients: {
    heads: ['what came of them', "p99 of others' deliveries, ms", 'without them', 'memory, MiB', 'sent', 'found', 'lost', 'twice'],
    rows: ({ notes, measured: { others }, ...figures }) => others === undefined
      ? []
      : [[notes.join('; '), ms(others.beside.p99), ms(others.usual.p99), mib(others.rss), ...counts(figures).toSpliced(1, 1)]]
  },
  overload: {
    heads: [
      '64 connections get', 'offered', 'of which sent', 'taken', 'p99 of the taken, ms', 'refused', 'p50, p99 of the refused, ms',
      'p99 a second later, ms', 'memory, MiB', 'lost', 'twice'
    ],
    rows: ({ measured: { overload }, ...figures }) => overload === undefined ? [] : [[...overloadCells(overload), ...counts(figures).slice(3)]]
  }
}

/** Of a soak, a column a backend: what each row shows. */
export const SOAK: Readonly<Record<string, (result: SoakResult) => string>> = {
  minutes: ({ minutes }) => thousands(minutes),
  'offered, a second': ({ rate }) => thousands(rate),
  held: ({ held }) => `${Math.round(held * 100)} %`,
  sent: ({ sent }) => thousands(sent),
  acknowledged: ({ acknowledged }) => thousands(acknowledged),
  found: ({ found }) => thousands(found),
  lost: ({ lost }) => thousands(lost),
  twice: ({ twice }) => thousands(twice),
  'refused, and sent again': ({ refused }) => thousands(refused),
  'cut off, and sent again': ({ cutOff }) => thousands(cutOff),
  'p50, p99 of the taken, ms': ({ p50, p99 }) => `${thousands(p50)}, ${thousands(p99)}`,
  faults: ({ faults }) => Object.entries(faults).map(([name, count]) => `${name} ${count}`).join(', '),
  'memory, MiB': ({ memoryMiB: { early, late, highest } }) => `${thousands(early)} to ${thousands(late)}; ${thousands(highest)} at most`
}

function overloadCells ({ best, offered, sent, taken, ok, refused, refusals, after, rss }: Overload): string[] {
  const goodput = taken / best
  const times = refused === 0 ? '' : `${ms(refusals.p50)}, ${judged(ms(refusals.p99), (refusals.p99 ?? 0) >= AIMS.refusals)}`
  return [
    `${thousands(best)}/s`, `${thousands(offered)}/s`, `${thousands(sent)}/s`,
    judged(`${thousands(taken)}/s (${Math.round(goodput * 100)} %)`, goodput < AIMS.goodput),
    judged(ms(ok.p99), (ok.p99 ?? 0) >= AIMS.ok),
    refused === 0 ? 'none' : `${thousands(refused)}/s`, times,
    judged(ms(after.p99), (after.p99 ?? 0) >= AIMS.after), mib(rss)
  ]
}

/** What misses its aim is bold. */
function judged (text: string, misses: boolean): string {
  return misses ? `**${text}**` : text
}

function counts ({ sent, acknowledged, found, lost, twice }: Partial<Figures>): string[] {
  return [sent, acknowledged, found, lost, twice].map(thousands)
}

function thousands (count: number | undefined): string {
  return count === undefined ? '' : Math.round(count).toLocaleString('en')
}

function ms (time: Times[keyof Times]): string {
  return time === null || Number.isNaN(time) ? 'none' : thousands(time)
}

function mib ([before, after]: Rss): string {
  return `${thousands(before / MIB)} to ${thousands(after / MIB)}`
}
