import { inspect } from '../test/src/storage/inspect.ts'
import { audit, type Figures } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'
import type { PhaseResult } from './provider/protocol.ts'
import type { Room } from './room.ts'
import type { Server } from '../bench/processes.ts'

const TIMES = 10
const CONNECTIONS = 1000
const SECONDS = 10

const okRate = ({ statuses, seconds }: PhaseResult): number => (statuses['200'] ?? 0) / seconds

/** Finds out what it can take, offers ten times that, then half of it again. */
async function overwhelm (room: Room, server: Server): Promise<Figures> {
  const usual = await room.provider({ again: Infinity })
  await usual.deliver(3)
  const best = okRate(await usual.deliver(4))
  const before = server.rss()

  // What is refused stays refused: the offer is what it is, not what it becomes.
  const flood = await room.provider({ connections: CONNECTIONS, again: Infinity, prepared: Math.min(100_000, best * TIMES * SECONDS) })
  const over = await flood.deliver(SECONDS, best * TIMES)
  const rss = server.rss()
  // The second in which it recovers, and what comes after it.
  await usual.deliver(1, best / 2)
  const after = await usual.deliver(3, best / 2)

  room.expect(over.malformed === 0, 'an answer was not as promised')
  room.expect((after.statuses['503'] ?? 0) === 0, 'it still refused a second later')
  room.measured.overload = {
    best,
    offered: best * TIMES,
    sent: over.sent / over.seconds,
    taken: okRate(over),
    refused: (over.statuses['503'] ?? 0) / over.seconds,
    ok: over.ok,
    refusals: over.refused,
    after: after.ok,
    rss: [before, rss]
  }
  return audit(room, server)
}

export const overload: Fault = {
  name: 'overload',
  what: `${TIMES} times what it can take, over ${CONNECTIONS} connections`,
  backends: BOTH,
  table: 'overload',
  run: async room => overwhelm(room, await room.start())
}

export const overloadedStore: Fault = {
  name: 'overload-store',
  what: 'the same while each row takes the database a ms or two',
  backends: BOTH,
  table: 'overload',
  async run (room) {
    const server = await room.start()
    if (room.backend === 'postgres') {
      await room.postgres.query(room.url, `
        CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END';
        CREATE TRIGGER linger BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION linger()`)
    } else {
      // SQLite has no sleep: this counts to some thousands.
      inspect(room.file, database => database.exec(`
        CREATE TRIGGER linger BEFORE INSERT ON messages BEGIN
          SELECT count(*) FROM (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i FROM n);
        END`))
    }
    return overwhelm(room, server)
  }
}
