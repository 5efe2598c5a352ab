import { setTimeout as delay } from 'node:timers/promises'
import { ask } from '../test/process.ts'

const PAUSE = 100

/** What the probes answered while a fault went on. */
export interface Watched {
  readonly asked: number
  /** How many of them were not answered 200. */
  readonly notLive: number
  readonly notReady: number
  /** The slowest answer to any of them, in ms. */
  readonly slowest: number
}

/** Asks both probes ten times a second until it is stopped. */
export function watch (url: string): { stop (): Promise<Watched> } {
  let [asked, notLive, notReady, slowest] = [0, 0, 0, 0]
  const stopping = new AbortController()
  const asking = (async () => {
    for (; !stopping.signal.aborted; await delay(PAUSE)) {
      const begun = performance.now()
      const [live, ready] = await Promise.all(['live', 'ready'].map(path => ask(`${url}/health/${path}`).catch(() => undefined)))
      slowest = Math.max(slowest, performance.now() - begun)
      asked++
      if (live?.status !== 200) notLive++
      if (ready?.status !== 200) notReady++
    }
  })()
  return {
    async stop () {
      stopping.abort()
      await asking
      return { asked, notLive, notReady, slowest: Math.round(slowest) }
    }
  }
}
