/**
 * A provider in a process of its own: it delivers signed messages over keep-alive connections, one request under way on
 * each, and delivers again what was not answered 200. What it is told, and tells, is in protocol.ts.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from './connection.ts'
import { requestOf } from './deliveries.ts'
import { Meter } from './meter.ts'
import type { Ledger, Phase, PhaseResult, Setup } from './protocol.ts'

/** How long after a connection broke, or was refused, it is made again, in ms. */
const RECONNECT = 50
const TURN = 1

class Provider {
  readonly #setup: Setup
  readonly #prepared: Buffer[]
  readonly #idle: Connection[] = []
  readonly #again: { number: number, due: number }[] = []
  readonly #acknowledged: number[] = []
  #next = 0
  #underWay = 0
  #greedy = false
  #ended = false
  #meter = new Meter()

  constructor (setup: Setup) {
    this.#setup = setup
    this.#prepared = Array.from({ length: setup.prepared }, (_, number) => requestOf(setup.prefix, number, setup.secret))
    for (let count = 0; count < setup.connections; count++) this.#connect()
  }

  async run ({ rate, seconds, queued }: Phase): Promise<PhaseResult> {
    this.#meter = new Meter()
    const { begun } = this.#meter
    this.#greedy = rate === Infinity
    for (let due = 0, elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begun) {
      if (this.#greedy) while (this.#sendOn(this.#idle.shift()));
      else {
        const target = Math.floor(rate * elapsed / 1000)
        for (; due < target; due++) {
          if (this.#sendOn(this.#idle.shift())) continue
          if (queued) break
          this.#meter.unsent++
        }
      }
      await delay(TURN)
    }
    this.#greedy = false
    return this.#meter.result()
  }

  /** Delivers what was refused until all of it is acknowledged, where that is wanted at all. */
  async end (): Promise<Ledger> {
    while (this.#underWay > 0 || this.#again.length > 0) {
      while (this.#again.length > 0 && this.#sendOn(this.#idle.shift(), false));
      await delay(TURN)
    }
    this.#ended = true
    for (const connection of this.#idle) connection.destroy()
    const acknowledged = new Uint8Array(this.#next)
    for (const number of this.#acknowledged) acknowledged[number] = 1
    return { sent: this.#next, acknowledged }
  }

  #sendOn (connection: Connection | undefined, fresh = true): boolean {
    if (connection === undefined) return false
    const number = this.#choose(fresh)
    if (number === undefined) {
      this.#idle.unshift(connection)
      return false
    }
    this.#underWay++
    this.#meter.sent++
    connection.send(number, this.#prepared[number] ?? requestOf(this.#setup.prefix, number, this.#setup.secret))
    return true
  }

  #choose (fresh: boolean): number | undefined {
    const [first] = this.#again
    if (first !== undefined && first.due <= performance.now()) return this.#again.shift()?.number
    return fresh ? this.#next++ : undefined
  }

  #connect (): void {
    const connection: Connection = new Connection(this.#setup.port, {
      free: () => {
        this.#idle.push(connection)
        if (this.#greedy) this.#sendOn(this.#idle.shift())
      },
      answered: (number, answer, latency) => {
        this.#underWay--
        if (this.#meter.answered(answer, latency)) this.#acknowledged.push(number)
        else this.#later(number)
      },
      closed: number => {
        const place = this.#idle.indexOf(connection)
        if (place !== -1) this.#idle.splice(place, 1)
        if (number !== undefined) {
          this.#meter.broken++
          this.#underWay--
          this.#later(number)
        }
        if (!this.#ended) setTimeout(() => this.#connect(), RECONNECT)
      }
    })
  }

  #later (number: number): void {
    if (this.#setup.again < Infinity) this.#again.push({ number, due: performance.now() + this.#setup.again })
  }
}

let provider: Provider | undefined
process.on('message', async (order: Setup | Phase | 'end') => {
  if (order === 'end') process.send?.(await provider?.end())
  else if ('port' in order) {
    provider = new Provider(order)
    process.send?.('ready')
  } else process.send?.(await provider?.run(order))
})
