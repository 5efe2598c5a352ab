/**
 * The thread that alone writes to the database. It takes every group of messages that waits at its port, up to a bound,
 * into one transaction, so a commit holds what came in during the commit before it, and the event loop and this thread
 * never wait for each other in step.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { now } from '../../clock.ts'
import type { Committed, Row } from '../group-commit.ts'
import type { SaveResult } from '../message-store.ts'
import type { Removal } from '../removed.ts'
import { SqliteCheckpoint } from './checkpoint.ts'
import { SqliteCondition } from './condition.ts'
import { openForWriting, WRITE_LOCK_TIMEOUT } from './database.ts'
import { SqliteListing } from './listing.ts'
import { migrateSqlite } from './migrate.ts'
import { SqliteRemoval } from './removal.ts'
import { SqliteSearchIndex } from './search-index.ts'
import { SqliteWriter } from './writer.ts'

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

/** Rows that one transaction takes before it is committed; what waits longer waits for the next. */
const BATCH_ROWS = 1024
/** Rows that one step of listing takes, and one of indexing for search. */
const LIST_ROWS = 2048
const INDEX_ROWS = 512
/** Rows that may be unlisted, or not indexed, and have to be read by every question, before that goes before commits. */
const UNLISTED_ROWS = 2048
const UNINDEXED_ROWS = 16_384
/** How long nothing must have been written before the thread does what can wait, in ms. */
const CHORES_IDLE = 20
const CHECKPOINT_IDLE = 1000
/** How long what is not a commit waits for another process to let go of the database, in ms: a commit may come meanwhile. */
const PATIENCE = 200
/** How long after a chore has failed it is tried again, in ms. */
const RETRY = 1000

const port = parentPort as MessagePort
const { file, durable } = workerData as WriterData

const database = openForWriting(file, durable)
const condition = new SqliteCondition(database, file)
await migrateSqlite(database)
const writer = new SqliteWriter(database)
const listing = new SqliteListing(database)
const index = new SqliteSearchIndex(database)
const removal = new SqliteRemoval(database)
const checkpoint = new SqliteCheckpoint(database, file, notice => port.postMessage({ notice } satisfies WriterAnswer))
// What an earlier process has left the first steps find out. Opening needs no lock.
let unlisted = 1
let unindexed = 1
let chore: NodeJS.Timeout | undefined

port.on('message', take)
port.postMessage('ready' satisfies WriterAnswer)
chores()

function take (request: WriterRequest | undefined): void {
  clearTimeout(chore)
  const groups: (readonly Row[])[] = []
  let rows = 0
  while (Array.isArray(request)) {
    groups.push(request)
    rows += request.length
    request = rows < BATCH_ROWS ? receiveMessageOnPort(port)?.message : undefined
  }
  if (groups.length > 0) commit(groups)

  if (typeof request === 'object' && !Array.isArray(request)) perform(request as Task)
  if (request === 'ping') port.postMessage((attemptSoon(() => condition.checkWritable()) ? 'pong' : 'unwritable') satisfies WriterAnswer)
  if (request === 'close') close()
  else chores()
}

function commit (groups: readonly (readonly Row[])[]): void {
  const begun = now()
  let outcomes: readonly (SaveResult | Error)[] = []
  let error: Error | undefined
  try {
    condition.checkInPlace()
    outcomes = writer.save(groups.flat())
    unlisted += outcomes.length
    unindexed += outcomes.length
    condition.committed()
  } catch (cause) {
    error = cause as Error
    condition.failed(error)
  }
  port.postMessage({ groups: groups.length, rows: outcomes.length, outcomes, error, begun, ended: now() } satisfies WriterAnswer)
}

function perform (task: Task): void {
  let rows: number | undefined | Error
  try {
    condition.checkInPlace()
    rows = 'forget' in task ? removal.forget(task.forget) : removeSome(task.remove)
  } catch (error) {
    rows = error as Error
  }
  port.postMessage({ performed: rows } satisfies WriterAnswer)
}

/** Of messages only what is listed can be removed, and that is most of it. */
function removeSome (which: Removal): number | undefined {
  const removed = removal.step(which)
  if (removed !== 0 || unlisted === 0 || 'unreadBefore' in which) return removed
  while (unlisted > 0) listSome()
  return removal.step(which)
}

/** What may wait is done when nothing is being written, or when too much of it has piled up. */
function chores (): void {
  attempt(() => checkpoint.afterCommit())
  if (unlisted >= UNLISTED_ROWS) attemptSoon(listSome)
  if (unindexed >= UNINDEXED_ROWS) attemptSoon(indexSome)
  chore = setTimeout(rest, CHORES_IDLE)
}

/** One step a turn of the event loop: a group that came in meanwhile goes first. */
function rest (): void {
  const step = unlisted > 0 ? listSome : unindexed > 0 ? indexSome : undefined
  if (step === undefined) chore = setTimeout(settle, CHECKPOINT_IDLE)
  else chore = setTimeout(rest, attemptSoon(step) ? 0 : RETRY)
}

function settle (): void {
  if (!attempt(() => checkpoint.whenIdle())) chore = setTimeout(settle, CHECKPOINT_IDLE)
}

function listSome (): void {
  unlisted = listing.step(LIST_ROWS)
}

function indexSome (): void {
  unindexed = index.step(INDEX_ROWS)
}

/** A chore can fail, on a full disk for instance. Nothing is lost by that: it is tried again later. */
function attempt (work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

/** The same without long waits for another process. */
function attemptSoon (work: () => void): boolean {
  database.pragma(`busy_timeout = ${PATIENCE}`)
  const done = attempt(work)
  database.pragma(`busy_timeout = ${WRITE_LOCK_TIMEOUT}`)
  return done
}

function close (): void {
  clearTimeout(chore)
  database.close()
  port.close()
}
