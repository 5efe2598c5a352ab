import type { IncomingHttpHeaders } from 'node:http'
import type { Verified } from '../signature/verifier.ts'

/** How a provider writes its deliveries: what the door has to know of them. It does no I/O. */
export interface Provider {
  /** Its name, as logs and metrics have it. */
  readonly source: string
  /**
   * Parses a verified body.
   *
   * @param target path and query of the request
   * @throws {UnsupportedType} when its type is none that the provider sends
   * @throws {UnreadableBody} when the bytes are not what the type says
   */
  parse (body: Verified, contentType: string | undefined, target?: string): unknown
  /** The id of the message for the log line, from a body that `parse` gave, valid or not. */
  idOf (parsed: unknown, headers: IncomingHttpHeaders): string | undefined
  /** The same from a body that was refused, for the log line and nothing else: the bytes may be anybody's. */
  claimedId (body: Buffer, headers: IncomingHttpHeaders): string | undefined
}
