/**
 * What the provider and its parent tell each other: a {@link Setup}, then any number of {@link Phase}s, each of which is answered by a
 * {@link PhaseResult}, and at last 'end', which is answered by a {@link Ledger}.
 */
import type { Latency } from '../../bench/report.ts'

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
  /** From writing the request to the end of its answer. */
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
