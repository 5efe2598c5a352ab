import { once, on } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { Message } from '../../src/message.ts'
import type { MessageStore } from '../../src/storage/message-store.ts'
import { openMessageStore } from '../../src/storage/open.ts'
import { COPY_STORE, COVERED, run, start, type Finished } from '../process.ts'
import { EVERYTHING, SILENT, message, saveAll, walk } from '../src/storage/suite/common.ts'

/** Messages in the order of the list: several share a second, and some have no text. */
export function messages (count: number): Message[] {
  return Array.from({ length: count }, (_, index) => message({
    message_id: `m${index}`,
    from: `+9198765432${index % 90 + 10}`,
    ts: `2025-01-15T10:00:00.${String(index).padStart(6, '0')}1Z`,
    text: index % 5 === 0 ? null : `No. ${index}: "ünïcode" \\ 🙂\n`
  }))
}

/** Does something with the store behind a URL, and closes it. */
export async function withStore<Result> (url: string, work: (store: MessageStore) => Promise<Result>): Promise<Result> {
  const store = await openMessageStore(url, SILENT)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export const fill = (url: string, ...rows: Message[]): Promise<unknown> => withStore(url, store => saveAll(store, rows))

export const list = (url: string): Promise<Message[]> => withStore(url, store => walk(store, EVERYTHING, 1000))

/** Runs the script to its end, in a folder of its own. */
export function copy (t: Test, ...args: string[]): Promise<Finished> {
  return run(t, COPY_STORE, t.testdirName, { args, execArgv: COVERED })
}

export interface Copying {
  /** Resolves with the next line of standard error that matches. */
  told (pattern: RegExp): Promise<string>
  kill (signal: NodeJS.Signals): void
  readonly exited: Promise<{ readonly code: number | null, readonly stdout: string }>
}

/** Starts the script. */
export function startCopy (t: Test, ...args: string[]): Copying {
  const child = start(t, COPY_STORE, t.testdirName, { args, execArgv: COVERED })
  const reader = createInterface({ input: child.stderr })
  const lines = on(reader, 'line', { close: ['close'] })
  return {
    async told (pattern) {
      const seen: string[] = []
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`it ended, and told only ${JSON.stringify(seen)}`)
        const [line] = value as [string]
        if (pattern.test(line)) return line
        seen.push(line)
      }
    },
    kill: signal => { child.kill(signal) },
    exited: Promise.all([once(child, 'close'), text(child.stdout)]).then(([[code], stdout]) => ({ code, stdout }))
  }
}
