import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DiskUse } from '../message-store.ts'

/** What the database of this file takes for its log, and what its disk has left. */
export async function diskUse (file: string): Promise<DiskUse> {
  const [log, { bavail, bsize }] = await Promise.all([stat(`${file}-wal`), statfs(dirname(file))])
  return { log: log.size, free: bavail * bsize }
}
