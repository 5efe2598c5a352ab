import { encodePosition, positionBehind } from '../storage/feed-position.ts'
import type { FeedFilter, FeedPosition, FeedRow } from '../storage/message-store.ts'

/** A message of the feed as it is sent. However many feeds send it, it is written out once. */
export class Entry {
  readonly position: FeedPosition
  /** The message, as JSON on one line. */
  readonly json: string
  readonly from: string
  readonly #source: string
  #event: string | undefined

  constructor ({ seq, message_id, from, to, ts, text, source, type, received_at }: FeedRow) {
    this.position = positionBehind({ seq, message_id })
    this.json = JSON.stringify({ message_id, from, to, ts, text, source, type, received_at })
    this.from = from
    this.#source = source
  }

  /** The message as a Server-Sent Event: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
  get event (): string {
    this.#event ??= `id: ${encodePosition(this.position)}\nevent: message\ndata: ${this.json}\n\n`
    return this.#event
  }

  isLetThrough ({ from = this.from, source = this.#source }: FeedFilter): boolean {
    return from === this.from && source === this.#source
  }
}
