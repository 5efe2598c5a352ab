/** What scripts have in common that go through a whole store. */
import { constants } from 'node:os'
import type { StoreObserver } from '../src/storage/message-store.ts'

const ignore = (): void => {}

/** What a store has to say is told when it was waited for in vain. */
export const SILENT: StoreObserver = { committed: ignore, notice: ignore }

/**
 * Aborted by a signal, for the reason of the exit code. A second signal ends the process at once: that does no harm either.
 *
 * @param stopping called before it is aborted
 */
export function stopSignal (stopping = ignore): AbortSignal {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      stopping()
      stop.abort(128 + constants.signals[name])
    })
  }
  return stop.signal
}
