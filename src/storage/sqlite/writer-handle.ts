import { Worker } from 'node:worker_threads'
import type { Committed, Committer, Row } from '../committer.ts'
import { StoreUnavailable } from '../errors.ts'
import type { StoreObserver } from '../message-store.ts'
import type { BatchDone, Task, WriterAnswer, WriterData, WriterRequest } from './writer-messages.ts'

interface Group {
  readonly size: number
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: Error) => void
}

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** How long after its death the thread is started anew, in ms. */
const RESTART_DELAY = 500

/** The writer thread, seen from the event loop. If it dies, what it had in hand is refused and another is started. */
export class SqliteWriterHandle implements Committer {
  readonly #database: WriterData
  readonly #observer: StoreObserver
  #worker: Worker | undefined
  #groups: Group[] = []
  #pings: Waiter[] = []
  #tasks: { readonly resolve: (rows: number | undefined) => void, readonly reject: (error: Error) => void }[] = []
  #closing = false

  private constructor (database: WriterData, observer: StoreObserver) {
    this.#database = database
    this.#observer = observer
  }

  /** Starts the thread; resolves when the database is open and its schema up to date, rejects when it cannot be. */
  static async open (database: WriterData, observer: StoreObserver): Promise<SqliteWriterHandle> {
    const handle = new SqliteWriterHandle(database, observer)
    await handle.#start()
    return handle
  }

  commit (rows: readonly Row[]): Promise<Committed> {
    return new Promise((resolve, reject) => {
      if (this.#worker === undefined) throw new StoreUnavailable('the writer thread is not running')
      this.#groups.push({ size: rows.length, resolve, reject })
      this.#worker.postMessage(rows satisfies WriterRequest)
    })
  }

  /** @returns how many rows the task was about; undefined when it has only looked for them so far, and has to be performed again */
  perform (task: Task): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#worker === undefined) throw new StoreUnavailable('the writer thread is not running')
      this.#tasks.push({ resolve, reject })
      this.#worker.postMessage(task satisfies WriterRequest)
    })
  }

  /** Resolves when the thread has done what it was sent before, and could write more. */
  ping (): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#worker === undefined) throw new StoreUnavailable('the writer thread is not running')
      this.#pings.push({ resolve, reject })
      this.#worker.postMessage('ping' satisfies WriterRequest)
    })
  }

  async close (): Promise<void> {
    this.#closing = true
    const worker = this.#worker
    if (worker === undefined) return
    await new Promise(resolve => {
      worker.once('exit', resolve)
      worker.postMessage('close' satisfies WriterRequest)
    })
  }

  #start (): Promise<void> {
    const worker = new Worker(new URL('writer-thread.ts', import.meta.url), { workerData: this.#database })
    return new Promise((resolve, reject) => {
      let cause: Error | undefined
      worker.on('message', (answer: WriterAnswer) => {
        if (answer === 'ready') {
          this.#worker = worker
          resolve()
          // It was closed while this thread was starting anew.
          if (this.#closing) worker.postMessage('close' satisfies WriterRequest)
        } else if (answer === 'pong') this.#pings.shift()?.resolve()
        else if (answer === 'unwritable') this.#pings.shift()?.reject(new StoreUnavailable('the database cannot be written'))
        else if ('performed' in answer) this.#performed(answer.performed)
        else if ('notice' in answer) this.#observer.notice(answer.notice)
        else this.#done(answer)
      })
      worker.once('error', error => { cause = error })
      worker.once('exit', () => {
        const lost = new StoreUnavailable('the writer thread ended', { cause })
        reject(cause ?? lost)
        this.#lost(lost)
      })
    })
  }

  #done ({ groups, error, outcomes, ...transaction }: BatchDone): void {
    if (error === undefined) this.#observer.committed(transaction.rows, (transaction.ended - transaction.begun) / 1000)
    let offset = 0
    for (const { size, resolve, reject } of this.#groups.splice(0, groups)) {
      if (error === undefined) resolve({ ...transaction, outcomes: outcomes.slice(offset, offset + size) })
      else reject(error)
      offset += size
    }
  }

  #performed (rows: number | undefined | Error): void {
    const task = this.#tasks.shift()
    if (!(rows instanceof Error)) task?.resolve(rows)
    else task?.reject(new StoreUnavailable('the database could not be changed', { cause: rows }))
  }

  #lost (error: Error): void {
    if (this.#worker === undefined) return
    this.#worker = undefined
    for (const { reject } of this.#groups.splice(0)) reject(error)
    for (const { reject } of [...this.#pings.splice(0), ...this.#tasks.splice(0)]) reject(error)
    if (!this.#closing) this.#restart()
  }

  #restart (): void {
    setTimeout(() => {
      if (!this.#closing) this.#start().catch(() => this.#restart())
    }, RESTART_DELAY).unref()
  }
}
