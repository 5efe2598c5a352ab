import { randomUUID } from 'node:crypto'
import { sign } from '../../src/signature/hmac.ts'
import type { Sender } from './sender.ts'

export const plain: Sender = {
  path: '/webhook',
  contentType: 'application/json',
  variable: 'WEBHOOK_SECRET',
  batches: false,
  newId: randomUUID,
  body: ([message]) => JSON.stringify(message),
  signer ({ webhookSecrets, signatureScheme: scheme }, secret = webhookSecrets[0]) {
    const header = scheme.header.replace(/\b[a-z]/g, letter => letter.toUpperCase())
    return secret ? body => ({ [header]: sign(Buffer.from(body), secret, scheme) }) : undefined
  }
}
