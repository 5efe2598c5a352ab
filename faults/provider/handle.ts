import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Ledger, Phase, PhaseResult, Setup } from './protocol.ts'

export type ProviderOptions = Setup

/** The provider, seen from the process that started it. */
export interface ProviderHandle {
  readonly prefix: string
  /** The ledger, once it has ended. */
  readonly ledger: Ledger | undefined
  /** Delivers for so many seconds, at a rate or, without one, as fast as it is answered. @param queued see {@link Phase} */
  deliver (seconds: number, rate?: number, queued?: boolean): Promise<PhaseResult>
  /** Delivers what was refused until it is acknowledged, and ends. */
  end (): Promise<Ledger>
  kill (): void
}

export async function launchProvider (setup: Setup): Promise<ProviderHandle> {
  const child = fork(join(import.meta.dirname, 'provider.ts'), { serialization: 'advanced' })
  const ended = once(child, 'exit').then(() => { throw new Error('the provider ended by itself') })
  ended.catch(() => {})
  const ask = async <Answer>(order: Setup | Phase | 'end'): Promise<Answer> => {
    child.send(order)
    const [answer] = await Promise.race([once(child, 'message'), ended]) as [Answer]
    return answer
  }
  await ask(setup)
  let ledger: Ledger | undefined
  return {
    prefix: setup.prefix,
    get ledger () { return ledger },
    deliver (seconds, rate = Infinity, queued = false) {
      const delivering = ask<PhaseResult>({ rate, seconds, queued })
      // Who started it may have failed, and not wait for it any more.
      delivering.catch(() => {})
      return delivering
    },
    async end () {
      ledger = await ask<Ledger>('end')
      child.disconnect()
      return ledger
    },
    kill: () => { child.kill('SIGKILL') }
  }
}
