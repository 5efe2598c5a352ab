import { claimedMessageId, messageIdOf, parseJson } from '../delivery.ts'
import type { Provider } from './provider.ts'

/** Whoever sends messages as they are stored. */
export const plain: Provider = {
  source: 'webhook',
  parse: parseJson,
  idOf: messageIdOf,
  claimedId: body => claimedMessageId(body)
}
