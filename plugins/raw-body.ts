import type { FastifyInstance } from 'fastify'
import { CLAIMED_BYTES } from '../src/delivery.ts'

/** How much of a body that is too large is taken in and dropped, in multiples of the limit. */
const DRAINED = 64

/**
 * Makes the body of every request in this scope a Buffer of the bytes as received, whatever its type.
 *
 * A body over the limit is read to its end and dropped before it is answered 413: a client that writes all of it before
 * it reads would otherwise see its connection reset, and no answer. One that is larger still is answered at once.
 *
 * @param limit bytes
 */
export function takeRawBodies (scope: FastifyInstance, limit: number): void {
  // Every other parser would be a way round the raw bytes.
  scope.removeAllContentTypeParsers()

  scope.addContentTypeParser('*', (request, payload, done) => {
    const body = new Pieces()
    let received = 0

    const take = (chunk: Buffer): void => {
      // Of what is too large, the beginning is for the log line.
      if (received < limit) body.add(received + chunk.length <= limit ? chunk : chunk.subarray(0, CLAIMED_BYTES))
      received += chunk.length
      if (received > limit * DRAINED) refuse()
    }
    const end = (): void => {
      if (received > limit) refuse()
      else done(null, body.whole)
    }
    const refuse = (): void => {
      payload.off('data', take).off('end', end).resume()
      // What there is of it, for the log line.
      request.body = body.whole
      done(scope.httpErrors.payloadTooLarge('the body is too large'))
    }
    payload.on('data', take).on('end', end)
    if (Number(request.headers['content-length']) > limit * DRAINED) refuse()
  })
}

/**
 * Bytes that come in pieces, in at most twice the memory that they need. A piece kept as it came needs some 200 bytes, which
 * a megabyte in chunks of one byte, signed or not, makes 200 MB of.
 */
class Pieces {
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** All pieces so far. */
  get whole (): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  add (piece: Buffer): void {
    const length = this.#length + piece.length
    if (this.#length === 0) {
      // Most bodies are one piece.
      this.#bytes = piece
    } else {
      if (length > this.#bytes.length) this.#bytes = Buffer.concat([this.whole], length * 2)
      piece.copy(this.#bytes, this.#length)
    }
    this.#length = length
  }
}
