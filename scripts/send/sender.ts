import type { Config } from '../../src/config.ts'

/** A message as the options describe it, whoever delivers it. */
export type Sent = Readonly<Record<'message_id' | 'from' | 'to' | 'ts' | 'text', string>>

/**
 * The headers of a delivery, that of the signature first.
 *
 * @param id of its first message
 */
export type Sign = (body: string, id: string, endpoint: URL) => Readonly<Record<string, string>>

/** How a provider delivers messages. */
export interface Sender {
  readonly path: string
  readonly contentType: string
  /** The variable that holds its secret. */
  readonly variable: string
  /** Whether one delivery may hold several messages. */
  readonly batches: boolean
  /** A new id, as the provider makes them. */
  newId (): string
  /** The body of one delivery. The same messages make the same bytes. */
  body (messages: readonly Sent[]): string
  /**
   * @param secret instead of the one that is configured
   * @returns undefined when there is neither
   */
  signer (config: Config, secret: string | undefined): Sign | undefined
}
