import type { Arrival, UnreadItem } from '../message.ts'
import type { SaveCourse, SaveResult } from './message-store.ts'

/** What is stored: each by itself new or a duplicate. */
export type Row = Arrival | UnreadItem

export function isMessage (row: Row): row is Arrival {
  return 'message_id' in row
}

export function isUnread (row: Row): row is UnreadItem {
  return !isMessage(row)
}

/** What became of a group: all of it that was stored is durable. */
export interface Committed extends Pick<SaveCourse, 'begun' | 'ended' | 'rows'> {
  /**
   * One outcome a row of the group, in their order; an Error for a row that the database refused by itself, which does not
   * keep its neighbours from being stored.
   */
  readonly outcomes: readonly (SaveResult | Error)[]
}

/** Takes a group of rows into one transaction, with other groups where it likes. */
export interface Committer {
  /** @throws when the group as a whole could not be stored */
  commit (rows: readonly Row[]): Promise<Committed>
}
