/**
 * A provider in a process of its own: it delivers signed messages over keep-alive connections, one request under way on
 * each, and delivers again what was not answered 200. It speaks HTTP by itself, for the same reason as bench/load.ts.
 *
 * The parent sends a {@link Setup}, then any number of {@link Phase}s, each of which is answered by a {@link PhaseResult},
 * and at last 'end', which is answered by a {@link Ledger}.
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { requestOf } from './deliveries.ts'

export interface Setup {
  readonly port: number
  readonly secret: string
  /** What the ids of its messages begin with. */
  readonly prefix: string
  readonly connections: number
  /** Requests to make before anything is sent. */
  readonly prepared: number
  /** How long after a refusal the same message is delivered again, in ms; Infinity: never. */
  readonly again: number
}

export interface Phase {
  /** Deliveries that fall due in a second, whether or not those before them are answered. Infinity: each connection sends as soon as it is answered. */
  readonly rate: number
  readonly seconds: number
  /** Whether what falls due while every connection is busy waits for one, as a provider's queue does; it is not sent otherwise. */
  readonly queued: boolean
}

export interface Latency { readonly p50: number, readonly p99: number, readonly max: number }

/** Answers that came during a phase. */
export interface PhaseResult {
  readonly seconds: number
  readonly sent: number
  /** Deliveries that fell due while every connection was busy. */
  readonly unsent: number
  readonly statuses: Readonly<Record<string, number>>
  /** Answers of 503 without Retry-After, and answers that are not JSON. */
  readonly malformed: number
  /** Connections that broke with a request under way. */
  readonly broken: number
  /** From writing the request to the end of its answer, in ms. */
  readonly ok: Latency
  readonly refused: Latency
  /** The longest time without any answer of 200, in ms. */
  readonly pause: number
}

/** What became of the messages: a byte for each, in the order of their numbers. */
export interface Ledger {
  /** How many messages were sent at least once. */
  readonly sent: number
  /** 1 where an answer of 200 has come. */
  readonly acknowledged: Uint8Array
}

class Measured {
  readonly begun = performance.now()
  sent = 0
  unsent = 0
  malformed = 0
  broken = 0
  pause = 0
  lastOk = performance.now()
  readonly statuses: Record<string, number> = {}
  readonly ok: number[] = []
  readonly refused: number[] = []

  result (): PhaseResult {
    const { sent, unsent, statuses, malformed, broken } = this
    return {
      seconds: (performance.now() - this.begun) / 1000,
      sent,
      unsent,
      statuses,
      malformed,
      broken,
      ok: latencyOf(this.ok),
      refused: latencyOf(this.refused),
      pause: Math.max(this.pause, performance.now() - this.lastOk)
    }
  }
}

function latencyOf (all: number[]): Latency {
  const sorted = Float64Array.from(all).sort()
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** How long after a connection broke, or was refused, it is made again, in ms. */
const RECONNECT = 50
const TURN = 1

class Provider {
  readonly #setup: Setup
  readonly #prepared: Buffer[]
  readonly #idle: Socket[] = []
  readonly #again: { number: number, due: number }[] = []
  readonly #acknowledged: number[] = []
  #next = 0
  #underWay = 0
  #greedy = false
  #ended = false
  #measured = new Measured()

  constructor (setup: Setup) {
    this.#setup = setup
    this.#prepared = Array.from({ length: setup.prepared }, (_, number) => requestOf(setup.prefix, number, setup.secret))
    for (let count = 0; count < setup.connections; count++) this.#connect()
  }

  async run ({ rate, seconds, queued }: Phase): Promise<PhaseResult> {
    this.#measured = new Measured()
    const { begun } = this.#measured
    this.#greedy = rate === Infinity
    for (let due = 0, elapsed = 0; elapsed < seconds * 1000; elapsed = performance.now() - begun) {
      if (this.#greedy) while (this.#sendOn(this.#idle.shift()));
      else {
        const target = Math.floor(rate * elapsed / 1000)
        for (; due < target; due++) {
          if (this.#sendOn(this.#idle.shift())) continue
          if (queued) break
          this.#measured.unsent++
        }
      }
      await delay(TURN)
    }
    this.#greedy = false
    return this.#measured.result()
  }

  /** Delivers what was refused until all of it is acknowledged, where that is wanted at all. */
  async end (): Promise<Ledger> {
    while (this.#underWay > 0 || this.#again.length > 0) {
      while (this.#again.length > 0 && this.#sendOn(this.#idle.shift(), false));
      await delay(TURN)
    }
    this.#ended = true
    for (const socket of this.#idle) socket.destroy()
    const acknowledged = new Uint8Array(this.#next)
    for (const number of this.#acknowledged) acknowledged[number] = 1
    return { sent: this.#next, acknowledged }
  }

  #sendOn (socket: Socket | undefined, fresh = true): boolean {
    if (socket === undefined) return false
    const number = this.#choose(fresh)
    if (number === undefined) {
      this.#idle.unshift(socket)
      return false
    }
    this.#underWay++
    this.#measured.sent++
    socket.emit('send', number)
    return true
  }

  #choose (fresh: boolean): number | undefined {
    const [first] = this.#again
    if (first !== undefined && first.due <= performance.now()) return this.#again.shift()?.number
    return fresh ? this.#next++ : undefined
  }

  #connect (): void {
    const { port, prefix, secret } = this.#setup
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1')
    let number: number | undefined
    let begun = 0
    let answer = ''
    const free = (): void => {
      if (socket.destroyed) return
      this.#idle.push(socket)
      if (this.#greedy) this.#sendOn(this.#idle.shift())
    }
    socket.on('connect', free)
    socket.on('send', (chosen: number) => {
      number = chosen
      begun = performance.now()
      socket.write(this.#prepared[chosen] ?? requestOf(prefix, chosen, secret))
    })
    socket.on('data', (data: string) => {
      answer += data
      const end = endOf(answer)
      if (end === undefined || answer.length < end || number === undefined) return
      this.#answered(number, answer, performance.now() - begun)
      const closing = /\r\nconnection: close\r\n/i.test(answer)
      answer = ''
      number = undefined
      if (closing) socket.end()
      else free()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      const place = this.#idle.indexOf(socket)
      if (place !== -1) this.#idle.splice(place, 1)
      if (number !== undefined) {
        this.#measured.broken++
        this.#underWay--
        this.#later(number)
      }
      if (!this.#ended) setTimeout(() => this.#connect(), RECONNECT)
    })
  }

  #answered (number: number, answer: string, latency: number): void {
    const status = answer.slice(9, 12)
    this.#underWay--
    const measured = this.#measured
    measured.statuses[status] = (measured.statuses[status] ?? 0) + 1
    if (!/\r\ncontent-type: application\/json/i.test(answer)) measured.malformed++
    if (status === '200') {
      this.#acknowledged.push(number)
      measured.ok.push(latency)
      measured.pause = Math.max(measured.pause, performance.now() - measured.lastOk)
      measured.lastOk = performance.now()
      return
    }
    if (status === '503' && !/\r\nretry-after: \d+\r\n/i.test(answer)) measured.malformed++
    measured.refused.push(latency)
    this.#later(number)
  }

  #later (number: number): void {
    if (this.#setup.again < Infinity) this.#again.push({ number, due: performance.now() + this.#setup.again })
  }
}

/** Where the answer ends that begins with this text; undefined while its head is not complete. */
function endOf (answer: string): number | undefined {
  const head = answer.indexOf('\r\n\r\n')
  if (head === -1) return undefined
  return head + 4 + Number(/content-length: (\d+)/i.exec(answer)?.[1])
}

let provider: Provider | undefined
process.on('message', async (order: Setup | Phase | 'end') => {
  if (order === 'end') process.send?.(await provider?.end())
  else if ('port' in order) {
    provider = new Provider(order)
    process.send?.('ready')
  } else process.send?.(await provider?.run(order))
})
