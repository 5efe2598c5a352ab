import { statSync } from 'node:fs'
import { Trouble } from '../trouble.ts'
import type { SqliteDatabase } from './database.ts'

/** Failures of the disk and of the file, which the next commit would meet as well. */
const TROUBLE = /^SQLITE_(?:FULL|IOERR|CORRUPT|READONLY|NOTADB|CANTOPEN)/

/** Whether the file is where it was, and can be written. */
export class SqliteCondition {
  readonly #database: SqliteDatabase
  readonly #file: string
  readonly #ino: number
  readonly #trouble = new Trouble()

  constructor (database: SqliteDatabase, file: string) {
    this.#database = database
    this.#file = file
    this.#ino = statSync(file).ino
  }

  /** @throws when the file was moved or replaced: what went into it now would not be there after a restart */
  checkInPlace (): void {
    if (statSync(this.#file).ino !== this.#ino) throw new Error('the database file was moved or replaced')
  }

  /** @throws when nothing can be written: the file is gone, another process holds the lock, or the disk was full just now */
  checkWritable (): void {
    this.checkInPlace()
    // On a full disk a transaction begins as ever, and only commits fail.
    if (this.#trouble.isRecent) throw new Error('commits fail')
    this.#database.exec('BEGIN IMMEDIATE; ROLLBACK')
  }

  committed (): void {
    this.#trouble.end()
  }

  failed (error: Error): void {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && TROUBLE.test(code)) this.#trouble.begin()
  }
}
