import { Type, type Static } from '@sinclair/typebox'
import { Timestamp } from './message.ts'
import type { Filter } from './storage/message-store.ts'
import { canonicalTimestamp } from './timestamp.ts'

/** The filters of the list, as a query string has them. */
export const FilterQuery = Type.Object({
  from: Type.Optional(Type.String({ description: 'one sender, exact; a leading space is read as +', examples: ['+919876543210'] })),
  to: Type.Optional(Type.String({ description: 'one recipient, exact; a leading space is read as +', examples: ['+14155550100'] })),
  since: Type.Optional(Type.Unsafe<string>({ ...Timestamp, examples: ['2025-01-15T09:30:00Z'] })),
  until: Type.Optional(Type.Unsafe<string>({ ...Timestamp, examples: ['2025-01-16T00:00:00Z'] })),
  source: Type.Optional(Type.String({ description: 'one source: whose deliveries', examples: ['whatsapp'] })),
  q: Type.Optional(Type.String({ description: 'one substring of text, in any letter case, without wildcards', examples: ['Hello'] }))
})
export type FilterQuery = Static<typeof FilterQuery>

/** What they mean. A + that was not escaped arrives as a space. */
export function filterOf ({ from, to, since, until, source, q }: FilterQuery): Filter {
  return {
    from: from?.replace(/^ /, '+'),
    to: to?.replace(/^ /, '+'),
    since: since && canonicalTimestamp(since),
    until: until && canonicalTimestamp(until),
    source,
    q: q === '' ? undefined : q
  }
}
