import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import { written, type Format } from './export.ts'
import type { StoredMessage } from './message.ts'

/** Compressed for speed: the processors have other work. */
export const gzip = (): ReturnType<typeof createGzip> => createGzip({ level: constants.Z_BEST_SPEED })

/**
 * Writes messages into a file, which is there when all of it is on disk, and not before. Another of that name is replaced.
 *
 * @param isZipped whether it is compressed by gzip
 * @throws what reading or writing throws; then nothing is left behind
 */
export async function writeFile (file: string, pages: AsyncIterable<readonly StoredMessage[]>, format: Format, isZipped: boolean): Promise<void> {
  const part = `${file}.part`
  try {
    const bytes = Readable.from(written(pages, format), { objectMode: false })
    const out = createWriteStream(part, { flush: true })
    await (isZipped ? pipeline(bytes, gzip(), out) : pipeline(bytes, out))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
