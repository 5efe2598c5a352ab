/** Questions, and how long they take: what reads.ts and postgres.ts have in common. */
import { encodeCursor } from '../src/storage/cursor.ts'
import type { Client } from './client.ts'
import { numberedMessage, rareWord } from './messages.ts'
import { median } from './report.ts'

/** A database with so many numbered messages, behind a service. */
export interface Target { readonly rows: number, readonly client: Client }

/** How often a question is asked: so often, or for so many ms in all databases together, but `least` times. */
interface Repetition { readonly requests: number, readonly patience: number, readonly least: number }
const WARM_UP: Repetition = { requests: 20, patience: 2000, least: 1 }
const MEASURED: Repetition = { requests: 300, patience: 20_000, least: 3 }

export const METHOD = 'One client, one question at a time, over HTTP; each question up to 300 times, with other values each time. p50 in ms.'

/** Paths by question; `pick` gives a different message of the database each time. */
export type Question = (pick: () => number, rows: number) => string
const query = (parameters: Record<string, string>): string => `/messages?${new URLSearchParams(parameters)}`

/** What must not grow with the table, */
export const STEADY: Record<string, Question> = {
  page: () => '/messages',
  'cursor page, anywhere': pick => query({ cursor: encodeCursor(numberedMessage(pick())) }),
  from: pick => query({ from: numberedMessage(pick()).from }),
  since: pick => query({ since: numberedMessage(pick()).ts }),
  stats: () => '/stats',
  'one message': pick => `/messages/${encodeURIComponent(numberedMessage(pick()).message_id)}`,
  'search, a rare word': pick => query({ q: rareWord(pick()) })
}
/** and what may. */
export const GROWING: Record<string, Question> = {
  'search, a number': pick => query({ q: `#${pick()}` }),
  'search, a word of every fourth message': () => query({ q: 'ORDER' }),
  'search, two characters that are nowhere': () => query({ q: 'zq' }),
  'last page by offset': (_pick, rows) => query({ offset: String(rows - 50) })
}

/** Answers that were not a 200, by question and database. */
export const failures = new Map<string, number>()

/** The median of the times that a question takes in each database, in ms; the databases in turn. */
export async function measure (name: string, question: Question, targets: readonly Target[]): Promise<number[]> {
  await askAll(name, question, targets, WARM_UP)
  return (await askAll(name, question, targets, MEASURED)).map(median)
}

async function askAll (name: string, question: Question, targets: readonly Target[], { requests, patience, least }: Repetition): Promise<number[][]> {
  const times: number[][] = targets.map(() => [])
  const end = performance.now() + patience
  for (let number = 0; number < requests && (number < least || performance.now() < end); number++) {
    for (const [index, { rows, client }] of targets.entries()) {
      // An even walk through all messages that starts elsewhere with each question.
      const pick = (): number => (number * 7_919 + name.length * 104_729) % rows
      const { status, milliseconds } = await client.ask(question(pick, rows))
      if (status !== 200) count(`${name} at ${rows.toLocaleString('en')} rows (${status})`)
      times[index]?.push(milliseconds)
    }
  }
  return times
}

function count (what: string): void {
  failures.set(what, (failures.get(what) ?? 0) + 1)
}

/** A sentence on what was not answered. */
export function failed (): string[] {
  if (failures.size === 0) return ['Every answer was a 200.']
  return [...failures].map(([what, times]) => `Not answered 200, ${what}: ${times} times.`)
}
