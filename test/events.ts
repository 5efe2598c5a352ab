/** A client of Server-Sent Events, as it sees them on the wire. */
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Test } from 'tap'

export interface ReceivedEvent {
  readonly id: string
  /** Empty where the event has none, and so is none. */
  readonly data: string
}

export interface EventStream {
  readonly response: IncomingMessage
  /** Everything that came, heartbeats and all. */
  readonly text: string
  /** Every event with data so far. */
  readonly events: readonly ReceivedEvent[]
  /** The id of the last event, with data or without. */
  readonly lastId: string
  /** The ids of the messages so far. */
  readonly ids: string[]
  /** Resolves when there are so many events, or fails when the stream ends before. */
  until (count: number): Promise<void>
  /** Resolves when what came matches. */
  untilText (pattern: RegExp): Promise<void>
  /** Resolves when the stream has ended; whether it did so in order. */
  readonly ended: Promise<boolean>
  close (): void
}

/** Opens a stream. It does not outlive the test. */
export async function openEvents (t: Test, url: string, headers: Record<string, string> = {}): Promise<EventStream> {
  const sent = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false }).end()
  const [response] = await once(sent, 'response') as [IncomingMessage]
  const events: ReceivedEvent[] = []
  let text = ''
  let rest = ''
  let lastId = ''
  const waiting = new Set<() => void>()
  const tell = (): void => { for (const each of [...waiting]) each() }

  response.setEncoding('utf8').on('data', (data: string) => {
    text += data
    rest += data
    const blocks = rest.split('\n\n')
    rest = blocks.pop() as string
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map(line => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]))
      lastId = fields.get('id') ?? lastId
      const data = fields.get('data')
      if (data !== undefined) events.push({ id: lastId, data })
    }
    tell()
  })
  response.on('error', () => {})
  const ended = new Promise<boolean>(resolve => { response.on('close', () => resolve(response.complete)) })
  ended.then(tell)
  t.teardown(() => { sent.destroy() })

  const until = (isSo: () => boolean): Promise<void> => new Promise((resolve, reject) => {
    const look = (): void => {
      if (!isSo() && !response.closed) return
      waiting.delete(look)
      if (isSo()) resolve()
      else reject(new Error(`the stream ended after ${events.length} events: ${text.slice(0, 200)}`))
    }
    waiting.add(look)
    look()
  })
  return {
    response,
    get text () { return text },
    events,
    get lastId () { return lastId },
    get ids () { return events.map(({ data }) => String(JSON.parse(data).message_id)) },
    until: count => until(() => events.length >= count),
    untilText: pattern => until(() => pattern.test(text)),
    ended,
    close: () => { sent.destroy() }
  }
}
