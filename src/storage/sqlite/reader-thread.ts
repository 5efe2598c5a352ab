/** A thread that reads. The pool gives it one task at a time. */
import { workerData } from 'node:worker_threads'
import { Budget } from './budget.ts'
import { openForReading } from './database.ts'
import { SqliteReader } from './reader.ts'

/** A method of SqliteReader to call. */
export interface ReadTask {
  readonly method: Exclude<keyof SqliteReader, symbol>
  readonly args: readonly unknown[]
  /** When the answer is of no use any more, on the clock of the budget. */
  readonly deadline: number
  /** One element, which becomes 1 when nobody waits for the answer any more. */
  readonly cancelled: Int32Array
}

const { file } = workerData as { file: string }
/** Opened for the first task, since the thread starts while the writer may still be making the file. */
let reader: SqliteReader | undefined

export default function run ({ method, args, deadline, cancelled }: ReadTask): unknown {
  const budget = new Budget(deadline, cancelled)
  budget.check()
  reader ??= new SqliteReader(openForReading(file))
  const call = reader[method] as (...args: unknown[]) => unknown
  return call.call(reader, ...args, budget)
}
