/**
 * Copies every message of one database into another, to move from SQLite to PostgreSQL or back: `npm run copy-store -- --help`.
 */
import { copyMessages, type CopyProgress } from '../src/storage/copy.ts'
import { encodeCursor } from '../src/storage/cursor.ts'
import { insist, reasonOf, type Patience } from '../src/storage/insist.ts'
import type { MessageStore } from '../src/storage/message-store.ts'
import { openMessageStore } from '../src/storage/open.ts'
import { HELP, readOptions, type Options } from './copy-store-options.ts'
import { SILENT, stopSignal } from './long-run.ts'

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) console.log(HELP)
  else process.exitCode = await copy(options)
} catch (error) {
  tell(error)
  process.exitCode = 1
}

function tell (error: unknown): void {
  console.error((error as Error).message)
}

/** @returns the exit code */
async function copy ({ from, to, after, seconds }: Options): Promise<number> {
  const signal = stopSignal(() => console.error('stopping after the page under way'))
  const patience: Patience = { seconds, signal }
  const opened: MessageStore[] = []
  let ticker: NodeJS.Timeout | undefined
  let progress: CopyProgress = { copied: 0, created: 0, next: after }
  try {
    const source = await open('--from', from, opened)
    const total = await insist('the source', () => source.count(), patience)
    const { total: before } = await insist('the source', () => source.page({ until: after.ts }, 1, 0), patience)
    const destination = await open('--to', to, opened)
    await insist('the destination', () => destination.ping(), patience)

    ticker = showProgress(() => progress.copied, before, total)
    for await (progress of copyMessages(source, destination, after, patience)) if (signal.aborted) break
    if (progress.next === undefined) {
      await report(progress, source, destination, patience)
      return 0
    }
  } catch (error) {
    // Who stopped it while a store was unavailable knows why it ended.
    if (!signal.aborted) tell(error)
  } finally {
    clearInterval(ticker)
    await Promise.all(opened.map(store => store.close()))
  }
  if (progress.copied > 0 && progress.next !== undefined) {
    console.error(`${progress.copied} messages were copied; to go on, add --resume-after ${encodeCursor(progress.next)}`)
  }
  return signal.aborted ? Number(signal.reason) : 1
}

async function open (option: '--from' | '--to', url: string, opened: MessageStore[]): Promise<MessageStore> {
  try {
    const store = await openMessageStore(url, SILENT)
    opened.push(store)
    return store
  } catch (error) {
    throw new Error(`${option} names a database that cannot be used: ${reasonOf(error as Error)}`, { cause: error })
  }
}

/**
 * Writes a line a second.
 *
 * @param before messages that an earlier run has copied
 * @param total messages in the source
 */
function showProgress (copied: () => number, before: number, total: number): NodeJS.Timeout {
  const begun = performance.now()
  return setInterval(() => {
    const done = before + copied()
    const percent = Math.min(100, 100 * done / Math.max(1, total)).toFixed(1)
    const rate = Math.round(copied() / (performance.now() - begun) * 1000)
    console.error(`${done} of ${total} (${percent} %), ${rate} a second`)
  }, 1000)
}

async function report (
  { copied, created }: CopyProgress, from: MessageStore, to: MessageStore, patience: Patience
): Promise<void> {
  const source = await insist('the source', () => from.count(), patience)
  const destination = await insist('the destination', () => to.count(), patience)
  console.log(JSON.stringify({ copied, created, source, destination }))
  if (destination < copied) throw new Error(`the destination holds ${destination} messages, fewer than the ${copied} that were copied`)
  if (destination < source) console.error(`the source holds ${source - destination} more: run it again, without --resume-after`)
}
