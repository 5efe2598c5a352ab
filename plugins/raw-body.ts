import type { FastifyInstance } from 'fastify'

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
    const chunks: Buffer[] = []
    let received = 0

    const take = (chunk: Buffer): void => {
      received += chunk.length
      if (received <= limit) chunks.push(chunk)
      else if (received > limit * DRAINED) refuse()
    }
    const end = (): void => {
      if (received > limit) refuse()
      else done(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
    }
    const refuse = (): void => {
      payload.off('data', take).off('end', end).resume()
      // What there is of it, for the log line.
      request.body = Buffer.concat(chunks)
      done(scope.httpErrors.payloadTooLarge('the body is too large'))
    }
    payload.on('data', take).on('end', end)
    if (Number(request.headers['content-length']) > limit * DRAINED) refuse()
  })
}
