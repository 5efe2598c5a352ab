/** What the event loop and the writer thread say to each other. */
import type { Committed, Row } from '../committer.ts'
import type { Removal } from '../removed.ts'

/** What the thread is sent: a group to store, or a request. */
export type WriterRequest = readonly Row[] | Task | 'ping' | 'close'

/** A step of removing messages, or of forgetting ids that were removed before a day. */
export type Task = { readonly remove: Removal } | { readonly forget: number }

/** What the thread answers: `ready` once, then one answer to each ping and task, and one to all groups of a batch. A notice is no answer. */
export type WriterAnswer = BatchDone | TaskDone | Notice | 'ready' | 'pong' | 'unwritable'

/** How many rows a task was about, or why it failed; undefined when it has only looked for them so far, and has to be sent again. */
export interface TaskDone { readonly performed: number | undefined | Error }

/** What an operator should know. */
export interface Notice { readonly notice: string }

/** The database that the thread opens. */
export interface WriterData {
  readonly file: string
  /** Whether commits are synced to disk. */
  readonly durable: boolean
}

/** The outcomes are those of the rows of all groups; none when the batch failed as a whole. */
export interface BatchDone extends Committed {
  /** How many groups the batch took, in the order in which they were sent. */
  readonly groups: number
  /** Why the batch failed as a whole. */
  readonly error: Error | undefined
}
