/**
 * Writes every message, or what a filter lets through, into a file: `npm run export -- --help`.
 */
import { loadConfig } from '../src/config.ts'
import { writeFile } from '../src/export-file.ts'
import { FORMATS } from '../src/export.ts'
import { reasonOf } from '../src/storage/insist.ts'
import type { MessageStore } from '../src/storage/message-store.ts'
import { openMessageStore } from '../src/storage/open.ts'
import { HELP, readOptions, type Options } from './export-options.ts'
import { SILENT, stopSignal } from './long-run.ts'

// Other people's messages.
process.umask(0o077)
const signal = stopSignal()
try {
  const options = readOptions(process.argv.slice(2), () => loadConfig(process.env).databaseUrl)
  if (options === undefined) console.log(HELP)
  else await exportTo(options)
} catch (error) {
  console.error(signal.aborted ? 'stopped: nothing was written' : reasonOf(error as Error))
  process.exitCode = signal.aborted ? Number(signal.reason) : 1
}

async function exportTo ({ out, format, isZipped, url, filter }: Options): Promise<void> {
  const begun = performance.now()
  const store = await openMessageStore(url, SILENT)
  let exported = 0
  const tell = (): void => console.error(`${exported} messages, ${Math.round(exported / (performance.now() - begun) * 1000)} a second`)
  const ticker = setInterval(tell, 1000)
  try {
    await writeFile(out, pages(store), FORMATS[format], isZipped)
  } finally {
    clearInterval(ticker)
    await store.close()
  }
  tell()
  console.log(JSON.stringify({ out, messages: exported, seconds: Number(((performance.now() - begun) / 1000).toFixed(1)) }))

  async function * pages (store: MessageStore) {
    for await (const page of store.snapshot(filter, signal)) {
      exported += page.length
      yield page
    }
  }
}
