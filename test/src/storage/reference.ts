/** What a store is held against: plain arrays, nanoseconds and Unicode's own case folding. */
import type { Arrival, Message } from '../../../src/message.ts'
import type { Filter, Stats } from '../../../src/storage/message-store.ts'
import type { Interval, Volume } from '../../../src/volume.ts'
import { searchFold } from '../case-folding.ts'

/** Nanoseconds since 1970. */
export function nanoseconds (timestamp: string): bigint {
  const fraction = timestamp.slice(19, -1).replace('.', '').padEnd(9, '0')
  return BigInt(Date.parse(`${timestamp.slice(0, 19)}Z`)) * 1_000_000n + BigInt(fraction)
}

export function compareCodePoints (one: string, other: string): number {
  const [a, b] = [one, other].map(text => Array.from(text, character => character.codePointAt(0) ?? 0)) as [number[], number[]]
  const place = a.findIndex((codePoint, index) => codePoint !== b[index])
  return place === -1 ? a.length - b.length : (a[place] ?? 0) - (b[place] ?? -1)
}

/** By time, then by id. */
export function compareMessages (one: Pick<Message, 'ts' | 'message_id'>, other: Pick<Message, 'ts' | 'message_id'>): number {
  const [a, b] = [nanoseconds(one.ts), nanoseconds(other.ts)]
  return a === b ? compareCodePoints(one.message_id, other.message_id) : a < b ? -1 : 1
}

export function matches ({ from, to, since, until, source, q }: Filter, message: Arrival): boolean {
  return (from === undefined || message.from === from) &&
    (to === undefined || message.to === to) &&
    (since === undefined || nanoseconds(message.ts) >= nanoseconds(since)) &&
    (until === undefined || nanoseconds(message.ts) < nanoseconds(until)) &&
    (source === undefined || (message.source ?? 'webhook') === source) &&
    (q === undefined || (message.text !== null && searchFold(message.text).includes(searchFold(q))))
}

/** The rows that a filter lets through, in their order. */
export function select (messages: readonly Arrival[], filter: Filter): Message[] {
  return messages.filter(message => matches(filter, message)).sort(compareMessages).map(withoutOrigin)
}

/** A message without how it came in. */
export function withoutOrigin ({ source, type, raw, received_at: receivedAt, ...message }: Arrival): Message {
  return message
}

export function statsOf (messages: readonly Message[]): Stats {
  const counts = Map.groupBy(messages, message => message.from)
  const sorted = select(messages, {})
  return {
    total_messages: messages.length,
    senders_count: counts.size,
    messages_per_sender: [...counts].map(([from, { length: count }]) => ({ from, count }))
      .sort((a, b) => b.count - a.count || compareCodePoints(a.from, b.from)).slice(0, 10),
    first_message_ts: sorted.at(0)?.ts ?? null,
    last_message_ts: sorted.at(-1)?.ts ?? null
  }
}

const CUT: Readonly<Record<Interval, number>> = { minute: 16, hour: 13, day: 10 }

/** The intervals that hold a message, of those that meet the time from `since` to `until`. */
export function volumeOf (messages: readonly Message[], interval: Interval, since: string, until: string, from?: string): Volume[] {
  const begin = (ts: string): string => ts.slice(0, CUT[interval]) + '0001-01-01T00:00:00Z'.slice(CUT[interval])
  const within = (ts: string): boolean => begin(ts) >= begin(since) && nanoseconds(begin(ts)) < nanoseconds(until)
  const counts = Map.groupBy(messages.filter(each => (from ?? each.from) === each.from && within(each.ts)), ({ ts }) => begin(ts))
  return [...counts].map(([ts, { length: count }]) => ({ ts, count })).sort((a, b) => a.ts < b.ts ? -1 : 1)
}
