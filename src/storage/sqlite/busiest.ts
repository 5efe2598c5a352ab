import type { Statement } from 'better-sqlite3'
import type { SqliteDatabase } from './database.ts'

export interface SenderCount { readonly msisdn: string, readonly count: number }

/** How many senders GET /stats names. */
const NAMED = 10
/** How many are looked for in the table of all senders, when no longer so many are known that come first, and how many may gather. */
const KEPT = 50
const MOST = 100

/**
 * Keeps at least the ten busiest senders. Looking for them in the table of all senders takes ms, so some more are kept: every sender that
 * comes no later than a certain one, the floor. Who is not among them comes behind it, whatever happens to the others.
 */
export class SqliteBusiest {
  readonly #read: Statement<[], SenderCount>
  readonly #put: Statement<[msisdn: string, count: number]>
  readonly #drop: Statement<[msisdn: string]>
  readonly #readFloor: Statement<[], SenderCount>
  readonly #putFloor: (floor: SenderCount | undefined) => void
  readonly #first: Statement<[number], SenderCount>

  constructor (database: SqliteDatabase) {
    this.#read = database.prepare('SELECT msisdn, count FROM busiest_senders')
    this.#put = database.prepare('INSERT OR REPLACE INTO busiest_senders VALUES (?, ?)')
    this.#drop = database.prepare('DELETE FROM busiest_senders WHERE msisdn = ?')
    this.#readFloor = database.prepare('SELECT msisdn, count FROM busiest_floor')
    const clear = database.prepare('DELETE FROM busiest_floor')
    const insert = database.prepare<[msisdn: string, count: number]>('INSERT INTO busiest_floor VALUES (?, ?)')
    this.#putFloor = floor => {
      clear.run()
      if (floor !== undefined) insert.run(floor.msisdn, floor.count)
    }
    this.#first = database.prepare('SELECT msisdn, count FROM senders ORDER BY count DESC, msisdn LIMIT ?')
  }

  /** Called when the counts of senders have changed. @param senders with their counts as they are now; 0 of one that is gone */
  change (senders: readonly SenderCount[]): void {
    const before = new Map(this.#read.all().map(({ msisdn, count }) => [msisdn, count]))
    const floor = this.#readFloor.get()
    const kept = new Map(before)
    for (const sender of senders) {
      if (sender.count > 0 && (floor === undefined || !isBehind(sender, floor))) kept.set(sender.msisdn, sender.count)
      else kept.delete(sender.msisdn)
    }
    if (kept.size > MOST) this.#trim(kept)
    else if (kept.size < NAMED && floor !== undefined) this.#fill(kept)

    for (const [msisdn, count] of kept) if (before.get(msisdn) !== count) this.#put.run(msisdn, count)
    for (const msisdn of before.keys()) if (!kept.has(msisdn)) this.#drop.run(msisdn)
  }

  #trim (kept: Map<string, number>): void {
    const sorted = Array.from(kept, ([msisdn, count]) => ({ msisdn, count })).sort((one, other) => isBehind(one, other) ? 1 : -1)
    for (const { msisdn } of sorted.slice(KEPT)) kept.delete(msisdn)
    this.#putFloor(sorted[KEPT - 1])
  }

  #fill (kept: Map<string, number>): void {
    const first = this.#first.all(KEPT)
    for (const { msisdn, count } of first) kept.set(msisdn, count)
    this.#putFloor(first.length < KEPT ? undefined : first.at(-1))
  }
}

/** Whether one comes behind the other: by count descending, then by number. */
function isBehind (one: SenderCount, other: SenderCount): boolean {
  return one.count < other.count || (one.count === other.count && one.msisdn > other.msisdn)
}
