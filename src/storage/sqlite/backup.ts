import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { openForReading } from './database.ts'

/** Pages copied between one look at the time and the next. */
const STEP = 4096

/**
 * Copies a database, while the service writes to it or not, into a new file that holds all that was committed when the copy
 * began. It is checked, and on disk under its name, when this resolves.
 *
 * The pages are those of one read transaction. Without it a copy would begin anew with every commit of another process
 * (https://www.sqlite.org/c3ref/backup_finish.html#sqlite3backupstep), and never end while messages come in.
 *
 * @param from the file of the database
 * @param to a file that does not exist; its folder is made
 * @param onProgress told how many pages are copied, and of how many
 * @returns how many messages the copy holds
 * @throws when it could not be made; nothing is left under its name
 */
export async function backupSqlite (from: string, to: string, onProgress: (copied: number, of: number) => void): Promise<number> {
  const part = `${to}.part`
  const source = openForReading(from)
  try {
    mkdirSync(dirname(to), { recursive: true })
    removeDatabase(part)
    source.exec('BEGIN; SELECT 1 FROM messages LIMIT 1')
    await source.backup(part, {
      progress ({ totalPages, remainingPages }) {
        onProgress(totalPages - remainingPages, totalPages)
        return STEP
      }
    })
    // What follows holds up nobody's log.
    source.close()
    const messages = check(part)
    renameSync(part, to)
    syncFolder(dirname(to))
    return messages
  } finally {
    source.close()
    removeDatabase(part)
  }
}

/** Looks at every page of a copy, and makes it one file that also opens where nothing can be written. */
function check (file: string): number {
  const copy = new Database(file)
  try {
    copy.pragma('journal_mode = DELETE')
    const verdict = String(copy.pragma('quick_check(1)', { simple: true }))
    if (verdict !== 'ok') throw new Error(`the database is damaged: ${verdict.replaceAll('\n', ' ')}`)
    return copy.prepare<[], number>('SELECT count(*) FROM messages').pluck().get() as number
  } finally {
    copy.close()
  }
}

function removeDatabase (file: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

/** A new name is on disk when its folder is: https://man7.org/linux/man-pages/man2/fsync.2.html. */
function syncFolder (folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
