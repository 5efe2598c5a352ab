import promClient, { type Registry } from '@prometheus-io/client'
import type { FastifyInstance } from 'fastify'
import type { StoreObserver } from '../src/storage/message-store.ts'

const { Gauge, Histogram } = promClient

const COMMIT_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

/** How long a scrape waits for the store before it answers with what was known last, in ms. */
const TIMEOUT = 1000

/** What an operator should know of the store. Returns where it reports its commits. */
export function storeMetrics (app: FastifyInstance, registers: Registry[]): Pick<StoreObserver, 'committed'> {
  const count = lastKnown(() => app.messages.count(), 0)
  // eslint-disable-next-line no-new
  new Gauge({
    name: 'messages_stored',
    help: 'Messages in the store; the last known number while it does not answer',
    registers,
    async collect () { this.set(await count()) }
  })
  // eslint-disable-next-line no-new
  new Gauge({ name: 'store_queue_depth', help: 'Saves that wait for their commit', registers, collect () { this.set(app.messages.queueDepth) } })
  const commitSeconds = new Histogram({
    name: 'store_commit_seconds', help: 'Time of a commit, its sync to disk included, in s', buckets: COMMIT_BUCKETS_S, registers
  })
  const batchSize = new Histogram({ name: 'store_batch_size', help: 'Saves in one commit', buckets: BATCH_BUCKETS, registers })

  const diskUse = lastKnown(() => app.messages.diskUse(), undefined)
  const gaugeOfDisk = (name: string, help: string, use: 'log' | 'free') => new Gauge({
    name,
    help,
    registers,
    async collect () {
      const bytes = (await diskUse())?.[use]
      // No sample at all where the disk is another machine's: 0 would look like a full one.
      if (bytes === undefined) this.remove()
      else this.set(bytes)
    }
  })
  gaugeOfDisk('store_wal_bytes', "Size of SQLite's write-ahead log, in bytes", 'log')
  gaugeOfDisk('store_disk_free_bytes', "What is free on the disk of SQLite's file, in bytes", 'free')

  return {
    committed (rows, seconds) {
      batchSize.observe(rows)
      commitSeconds.observe(seconds)
    }
  }
}

/**
 * Asks anew when it is called, waits for {@link TIMEOUT}, and answers with what was known last. Never asks twice at once: each
 * scrape would leave one more question behind with a store that hangs.
 */
function lastKnown<Value> (ask: () => Promise<Value>, first: Value): () => Promise<Value> {
  let known = first
  let asked: Promise<void> | undefined
  return async () => {
    asked ??= ask().then(value => { known = value }, () => {}).finally(() => { asked = undefined })
    await Promise.race([asked, after(TIMEOUT)])
    return known
  }
}

function after (milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds).unref())
}
