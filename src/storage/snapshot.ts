import type { StoredMessage } from '../message.ts'
import type { Page, Position } from './message-store.ts'

/** Before every message. */
export const BEGINNING: Position = { ts: '', message_id: '' }

/** Messages that are read at once: at first, and at most. */
const FIRST = 100
const MOST = 500
/** How much the texts and the raw JSON of a page should be at most, in UTF-16 units. One message can be more. */
const LENGTH = 256 * 1024

/**
 * Walks a list page by page. A page is read when it is asked for, and its size follows that of the messages before it, so
 * that what is held is some hundred KB, however long the list.
 *
 * @param read reads the page behind a position; it may be empty where the list goes on
 */
export async function * walkPages (read: (limit: number, after: Position) => Promise<Page<StoredMessage>>): AsyncGenerator<StoredMessage[], void, undefined> {
  let limit = FIRST
  let next: Position | undefined = BEGINNING
  while (next !== undefined) {
    const page: Page<StoredMessage> = await read(limit, next)
    if (page.messages.length > 0) {
      yield page.messages
      limit = fitting(page.messages)
    }
    next = page.next
  }
}

function fitting (messages: readonly StoredMessage[]): number {
  const length = messages.reduce((sum, { text, raw }) => sum + (text?.length ?? 0) + (raw?.length ?? 0), 1)
  return Math.max(1, Math.min(MOST, Math.floor(LENGTH * messages.length / length)))
}
