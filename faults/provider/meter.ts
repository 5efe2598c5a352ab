import { latencyOf } from '../../bench/report.ts'
import type { PhaseResult } from './protocol.ts'

/** Counts what is sent and answered during a phase. */
export class Meter {
  readonly begun = performance.now()
  sent = 0
  unsent = 0
  broken = 0
  #malformed = 0
  #pause = 0
  #lastOk = performance.now()
  readonly #statuses: Record<string, number> = {}
  readonly #ok: number[] = []
  readonly #refused: number[] = []

  /** @param latency in ms. @returns whether the answer is a 200 */
  answered (answer: string, latency: number): boolean {
    const status = answer.slice(9, 12)
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    if (!/\r\ncontent-type: application\/json/i.test(answer)) this.#malformed++
    if (status === '200') {
      this.#ok.push(latency)
      this.#pause = Math.max(this.#pause, performance.now() - this.#lastOk)
      this.#lastOk = performance.now()
      return true
    }
    if (status === '503' && !/\r\nretry-after: \d+\r\n/i.test(answer)) this.#malformed++
    this.#refused.push(latency)
    return false
  }

  result (): PhaseResult {
    const { sent, unsent, broken } = this
    return {
      seconds: (performance.now() - this.begun) / 1000,
      sent,
      unsent,
      statuses: this.#statuses,
      malformed: this.#malformed,
      broken,
      ok: latencyOf(this.#ok),
      refused: latencyOf(this.#refused),
      pause: Math.max(this.#pause, performance.now() - this.#lastOk)
    }
  }
}
