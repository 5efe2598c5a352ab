/**
 * The thread that alone writes to the database. It takes every group of messages that waits at its port, up to a bound,
 * into one transaction, so a commit holds what came in during the commit before it, and the event loop and this thread
 * never wait for each other in step.
 */
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { now } from '../../clock.ts'
import type { Row } from '../committer.ts'
import type { SaveResult } from '../message-store.ts'
import type { Removal } from '../removed.ts'
import { SqliteCheckpoint } from './checkpoint.ts'
import { SqliteChores } from './chores.ts'
import { SqliteCondition } from './condition.ts'
import { openForWriting } from './database.ts'
import { migrateSqlite } from './migrate.ts'
import { SqliteRemoval } from './removal.ts'
import { SqliteWriter } from './writer.ts'
import type { Task, WriterAnswer, WriterData, WriterRequest } from './writer-messages.ts'

/** Rows that one transaction takes before it is committed; what waits longer waits for the next. */
const BATCH_ROWS = 1024

const port = parentPort as MessagePort
const { file, durable } = workerData as WriterData

const database = openForWriting(file, durable)
const condition = new SqliteCondition(database, file)
await migrateSqlite(database)
const writer = new SqliteWriter(database)
const removal = new SqliteRemoval(database)
const chores = new SqliteChores(database, new SqliteCheckpoint(database, file, notice => port.postMessage({ notice } satisfies WriterAnswer)))

port.on('message', take)
port.postMessage('ready' satisfies WriterAnswer)
chores.resume()

function take (request: WriterRequest | undefined): void {
  chores.pause()
  const groups: (readonly Row[])[] = []
  let rows = 0
  while (Array.isArray(request)) {
    groups.push(request)
    rows += request.length
    request = rows < BATCH_ROWS ? receiveMessageOnPort(port)?.message : undefined
  }
  if (groups.length > 0) commit(groups)

  if (typeof request === 'object' && !Array.isArray(request)) perform(request as Task)
  if (request === 'ping') port.postMessage((chores.attemptSoon(() => condition.checkWritable()) ? 'pong' : 'unwritable') satisfies WriterAnswer)
  if (request === 'close') close()
  else chores.resume()
}

function commit (groups: readonly (readonly Row[])[]): void {
  const begun = now()
  let outcomes: readonly (SaveResult | Error)[] = []
  let error: Error | undefined
  try {
    condition.checkInPlace()
    outcomes = writer.save(groups.flat())
    chores.stored(outcomes.length)
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
  if (removed !== 0 || !chores.isBehind || 'unreadBefore' in which) return removed
  chores.catchUp()
  return removal.step(which)
}

function close (): void {
  chores.pause()
  database.close()
  port.close()
}
