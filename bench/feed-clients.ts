/**
 * Clients of the feed, in a process of their own. Some read every event and note how old its message is by then; the others
 * only take it, as a thousand programs on other machines would.
 *
 * The parent sends {@link Clients}, is told `ready`, sends anything to have the samples, and gets {@link FeedResult}.
 */
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

export interface Clients {
  readonly url: string
  readonly count: number
  /** Whether each wants another sender, as programs of one customer each do. */
  readonly filtered: boolean
}

export interface FeedResult {
  /** From the moment at which the message was stored, before its commit, to the client, in ms. */
  readonly latencies: number[]
  /** Bytes that all took. */
  readonly bytes: number
}

const READERS = 10

process.once('message', async ({ url, count, filtered }: Clients) => {
  let latencies: number[] = []
  let bytes = 0
  for (let number = 0; number < count; number++) {
    const query = filtered ? `&from=%2B9198${String(number).padStart(8, '0')}` : ''
    const sent = get(`${url}/feed?after=latest${query}`, { agent: false, headers: { accept: 'text/event-stream' } })
    const [response] = await once(sent, 'response') as [IncomingMessage]
    response.on('error', () => {})
    if (number >= READERS) response.on('data', (data: Buffer) => { bytes += data.length })
    else {
      let rest = ''
      response.setEncoding('utf8').on('data', (text: string) => {
        bytes += text.length
        const now = Date.now()
        const blocks = (rest + text).split('\n\n')
        rest = blocks.pop() as string
        for (const block of blocks) {
          const at = block.lastIndexOf('"received_at":"')
          if (at !== -1) latencies.push(now - Date.parse(block.slice(at + 15, at + 39)))
        }
      })
    }
  }
  process.on('message', () => {
    process.send?.({ latencies, bytes } satisfies FeedResult)
    latencies = []
    bytes = 0
  })
  process.send?.('ready')
})
process.on('disconnect', () => process.exit())
