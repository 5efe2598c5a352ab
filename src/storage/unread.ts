import { createHash } from 'node:crypto'
import type { UnreadItem } from '../message.ts'

/** What an unread item is known by, so that a delivery that comes again keeps it once: SHA-256, in hex. */
export function digestOf ({ source, raw }: UnreadItem): string {
  return createHash('sha256').update(`${source}\n${raw}`).digest('hex')
}
