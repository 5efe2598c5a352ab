import type { StoredMessage } from '../message.ts'
import { insist, type Patience } from './insist.ts'
import type { MessageStore, Page, Position } from './message-store.ts'

/** Messages that are read at once, and saved at once: enough that a commit is shared by many, and some MB at most. */
const PAGE = 1000

/** How far a copy has come. */
export interface CopyProgress {
  /** Messages that were read from the source and are on disk in the destination. */
  readonly copied: number
  /** Those of them that the destination did not have before. */
  readonly created: number
  /** Where to go on; undefined at the end of the list. */
  readonly next: Position | undefined
}

/**
 * Copies the messages behind a position, in the order of the list, page by page. Who iterates is told of each page when all
 * of it is on disk, and may stop there.
 *
 * A message that the destination has already is left as it is, so copying again does no harm. A message that comes into the
 * source before the place where the walk is by then is met only by another walk from the beginning.
 *
 * @throws {Error} when one of the stores was unavailable for longer than the patience
 */
export async function * copyMessages (
  source: MessageStore, destination: MessageStore, after: Position, patience: Patience
): AsyncGenerator<CopyProgress, void, undefined> {
  let copied = 0
  let created = 0
  let next: Position | undefined = after
  while (next !== undefined) {
    const position: Position = next
    const page: Page<StoredMessage> = await insist('the source', () => source.recordsAfter({}, PAGE, position), patience)
    created += await saveAll(destination, page.messages, patience)
    copied += page.messages.length
    next = page.next
    yield { copied, created, next }
  }
}

/** @returns how many of them are new */
async function saveAll (store: MessageStore, messages: readonly StoredMessage[], patience: Patience): Promise<number> {
  let created = 0
  let left = messages
  await insist('the destination', async () => {
    const outcomes = await Promise.allSettled(left.map(message => store.save(message)))
    created += outcomes.filter(outcome => outcome.status === 'fulfilled' && outcome.value === 'created').length
    // One that was refused may be stored nevertheless; then it counts as one that the destination had before.
    left = left.filter((_message, index) => outcomes[index]?.status === 'rejected')
    const refused = outcomes.find(outcome => outcome.status === 'rejected')
    if (refused !== undefined) throw refused.reason
  }, patience)
  return created
}
