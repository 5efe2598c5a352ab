/**
 * A program that takes everything out of the feed, exactly once although it is killed again and again: what it does with
 * a message, and the position behind it, go into one transaction. In odd lives it takes a stream, in even ones pages.
 *
 * `node test/feed-consumer.ts FILE URL LIFE`: FILE is its own SQLite database.
 */
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'

const [file = '', url = '', life = '0'] = process.argv.slice(2)
const database = new Database(file)
database.pragma('journal_mode = WAL')
database.exec('CREATE TABLE IF NOT EXISTS taken (n INTEGER PRIMARY KEY, message_id TEXT, position TEXT)')
const insert = database.prepare('INSERT INTO taken (message_id, position) VALUES (?, ?)')
const last = database.prepare<[], string>('SELECT position FROM taken ORDER BY n DESC LIMIT 1').pluck()

interface Message { readonly message_id: string }

const take = database.transaction((messages: readonly (readonly [Message, string])[]) => {
  for (const [{ message_id: id }, position] of messages) insert.run(id, position)
})

for (;;) {
  // The service is killed, too.
  await (Number(life) % 2 === 0 ? pages() : stream()).catch(() => {})
  await delay(20)
}

async function pages (): Promise<void> {
  for (;;) {
    const response = await fetch(`${url}/feed?limit=50&wait=10&after=${last.get() ?? ''}`)
    if (!response.ok) throw new Error(await response.text())
    const { data, position } = await response.json() as { data: Message[], position: string }
    // The position is that behind the last.
    take(data.map(message => [message, position]))
  }
}

async function stream (): Promise<void> {
  const response = await fetch(`${url}/feed`, { headers: { accept: 'text/event-stream', 'last-event-id': last.get() ?? '' } })
  let rest = ''
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() as string
    take(blocks.flatMap(block => {
      const { id, data } = /^id: (?<id>.*)\nevent: message\ndata: (?<data>.*)$/.exec(block)?.groups ?? {}
      return id === undefined || data === undefined ? [] : [[JSON.parse(data) as Message, id] as const]
    }))
  }
}
