import { randomUUID } from 'node:crypto'
import { parseStandardSecrets, signStandard, STANDARD_SECRETS_RULE } from '../../src/signature/standard.ts'
import type { Sender } from './sender.ts'

export const standard: Sender = {
  path: '/webhook/standard',
  contentType: 'application/json',
  variable: 'STANDARD_WEBHOOKS_SECRET',
  batches: false,
  newId: () => `msg_${randomUUID().replaceAll('-', '')}`,
  body: ([message]) => {
    const { ts: timestamp, ...data } = message ?? {}
    return JSON.stringify({ type: 'message.received', timestamp, data })
  },
  signer ({ standardSecrets }, secret) {
    const given = secret ? parseStandardSecrets(secret) : standardSecrets
    if (given === undefined) throw new Error(`--secret must be ${STANDARD_SECRETS_RULE}`)
    const [key] = given
    return key && ((body, id) => {
      const timestamp = String(Math.floor(Date.now() / 1000))
      return { 'Webhook-Signature': signStandard(key, id, timestamp, Buffer.from(body)), 'Webhook-Id': id, 'Webhook-Timestamp': timestamp }
    })
  }
}
