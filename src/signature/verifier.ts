import type { IncomingHttpHeaders } from 'node:http'

declare const verified: unique symbol

/** The raw bytes of a delivery whose signature was right. Only a verifier makes one. */
export type Verified = Buffer & { readonly [verified]: true }

/** Why a delivery was not let in. It goes to the log and the metrics, never into the answer. */
export const REFUSALS = ['missing', 'malformed', 'mismatch', 'too_old', 'too_new'] as const
export type Refusal = typeof REFUSALS[number]

export type Verdict =
  /** `secret` is the place, in the verifier's list, of the key under which it was signed. */
  | { readonly body: Verified, readonly secret: number, readonly refusal?: undefined }
  | { readonly body?: undefined, readonly secret?: undefined, readonly refusal: Refusal }

/**
 * Judges one delivery by its headers, its raw bytes and, where that is signed too, the target of the request: path and
 * query as they were received. It does no I/O and never throws.
 */
export type Verifier = (headers: IncomingHttpHeaders, body: Buffer, target?: string) => Verdict

/** Reads secrets that hold no space and no comma: several are separated by those. */
export function parseTokens (text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(token => token !== '')
}
