/** The books: what the provider was promised, beside what is there. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Server } from '../bench/processes.ts'
import { allMessages, ask } from '../test/process.ts'
import { inspect, untilIndexed, wrongCounters as wrongCountersOfFile } from '../test/src/storage/inspect.ts'
import { untilCounted, wrongCounters } from '../test/src/storage/postgres-inspect.ts'
import { idOf, textOf } from './provider/deliveries.ts'
import { untilReady, type Room } from './room.ts'

export interface Figures {
  /** Messages that were sent at least once. */
  readonly sent: number
  /** Of them, those for which a 200 came. */
  readonly acknowledged: number
  /** Messages in the list. */
  readonly found: number
  /** Acknowledged and not found. */
  readonly lost: number
  /** Found more than once. */
  readonly twice: number
}

/** Ends the providers, reads back everything by walking, and compares; then ends the service and looks into its database. */
export async function audit (room: Room, server: Server): Promise<Figures> {
  await untilReady(server.url)
  const known = await sentMessages(room)
  const rows = await insisting(() => allMessages(server.url))
  const ids = rows.map(row => String(row['message_id']))
  room.expect(rows.every(row => row['text'] === textOf(String(row['message_id']))), 'a message is not whole')
  const total = (path: string, key: string): Promise<number> => insisting(async () => {
    const { status, body } = await ask(server.url + path)
    if (status !== 200) throw new Error(`${path} was answered ${status}`)
    return JSON.parse(body)[key]
  })
  room.expect(await total('/stats', 'total_messages') === rows.length, 'the total of /stats is wrong')
  room.expect(await total('/messages?limit=1&q=THE%20TEXT%20OF', 'total') === rows.length, 'the search does not find all')
  await endAndInspect(room, server)
  return compare(room, known, ids)
}

/** The same for millions of messages, whose ids are read from the database itself. */
export async function auditMany (room: Room, server: Server): Promise<Figures> {
  await untilReady(server.url)
  const known = await sentMessages(room)
  const { total_messages: total } = JSON.parse((await ask(`${server.url}/stats`)).body)
  await endAndInspect(room, server)
  const ids = room.backend === 'sqlite'
    ? inspect(room.file, database => database.prepare<[], string>('SELECT message_id FROM messages').pluck().all())
    : (await room.postgres.query<{ id: string }>(room.url, 'SELECT message_id AS id FROM messages')).map(({ id }) => id)
  room.expect(total === ids.length, 'the total of /stats is wrong')
  return compare(room, known, ids)
}

/** Asks again when it is refused: a read may be, on a machine that is busy. */
async function insisting<Answer> (ask: () => Promise<Answer>, times = 10): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    if (times === 1) throw error
    await delay(1000)
    return insisting(ask, times - 1)
  }
}

/** Every message that was sent, and whether a 200 came for it. */
async function sentMessages ({ providers }: Room): Promise<Map<string, boolean>> {
  const known = new Map<string, boolean>()
  for (const provider of providers) {
    const { acknowledged } = provider.ledger ?? await provider.end()
    acknowledged.forEach((answered, number) => known.set(idOf(provider.prefix, number), answered === 1))
  }
  return known
}

async function endAndInspect (room: Room, server: Server): Promise<void> {
  if (room.backend === 'postgres') {
    await untilCounted(room.postgres, room.url)
    room.expect((await wrongCounters(room.postgres, room.url)).length === 0, 'a counter is wrong')
    await server.stop()
    return
  }
  await untilIndexed(room.file)
  await server.stop()
  room.expect(wrongCountersOfFile(room.file).length === 0, 'a counter is wrong')
  room.expect(inspect(room.file, database => database.pragma('integrity_check', { simple: true })) === 'ok', 'the file is damaged')
}

function compare (room: Room, known: ReadonlyMap<string, boolean>, found: readonly string[]): Figures {
  const ids = new Set(found)
  room.expect(found.every(id => known.has(id)), 'a message is there that was never sent')
  const acknowledged = [...known].filter(([, answered]) => answered).map(([id]) => id)
  return {
    sent: known.size,
    acknowledged: acknowledged.length,
    found: found.length,
    lost: acknowledged.filter(id => !ids.has(id)).length,
    twice: found.length - ids.size
  }
}
