import { randomBytes } from 'node:crypto'
import { sign } from '../../src/signature/hmac.ts'
import { WHATSAPP_SCHEME } from '../../src/signature/whatsapp.ts'
import type { Sender, Sent } from './sender.ts'

export const whatsapp: Sender = {
  path: '/webhook/whatsapp',
  contentType: 'application/json',
  variable: 'WHATSAPP_APP_SECRET',
  batches: true,
  newId: () => `wamid.${randomBytes(42).toString('base64')}`,
  body: messages => JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{
      id: '102290129340398',
      changes: [{
        field: 'messages',
        value: {
          messaging_product: 'whatsapp',
          metadata: { display_phone_number: messages[0]?.to.replace('+', ''), phone_number_id: '106540352242922' },
          contacts: [{ profile: { name: 'Somebody' }, wa_id: messages[0]?.from.replace('+', '') }],
          messages: messages.map(itemOf)
        }
      }]
    }]
  }),
  signer ({ whatsappSecrets }, secret = whatsappSecrets[0]) {
    return secret ? body => ({ 'X-Hub-Signature-256': sign(Buffer.from(body), secret, WHATSAPP_SCHEME) }) : undefined
  }
}

function itemOf ({ message_id: id, from, ts, text }: Sent): object {
  const timestamp = Math.floor(Date.parse(ts) / 1000)
  if (Number.isNaN(timestamp)) throw new Error('--ts must be a time')
  return { from: from.replace('+', ''), id, timestamp: String(timestamp), type: 'text', text: { body: text } }
}
