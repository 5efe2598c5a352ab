import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailable, StoreUnusable } from './errors.ts'

/** How long a store that is unavailable is asked again. */
export interface Patience {
  readonly seconds: number
  /** Ends the wait: what is under way is asked once more, and then no more. */
  readonly signal: AbortSignal
}

/**
 * Asks until it is answered, with the pause that the store asks for after each refusal.
 *
 * @param who the store, as its operator knows it
 * @throws {Error} one sentence with the reason, when the store was unavailable for so long
 */
export async function insist<Answer> (who: string, ask: () => Promise<Answer>, { seconds, signal }: Patience): Promise<Answer> {
  let deadline: number | undefined
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      // From the first refusal on: what came before it was an answer that was slow.
      deadline ??= performance.now() + seconds * 1000
      if (signal.aborted || performance.now() >= deadline) {
        throw new Error(`${who} was unavailable for ${seconds} s: ${reasonOf(error)}`, { cause: error })
      }
      await delay(error.retryAfter * 1000, undefined, { signal }).catch(() => {})
    }
  }
}

/** What went wrong beneath the store: its own words only say that it was passed on. */
export function reasonOf (error: Error): string {
  const { cause, message } = error
  if (isOfStore(error) && cause instanceof Error) return reasonOf(cause)
  // A host of several addresses, none of which answers, is an AggregateError without a message.
  return message || String((error as NodeJS.ErrnoException).code)
}

function isOfStore (error: Error): boolean {
  return error instanceof StoreUnavailable || error instanceof StoreUnusable
}
