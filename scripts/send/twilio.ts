import { randomUUID } from 'node:crypto'
import { parseForm, signTwilio } from '../../src/signature/twilio.ts'
import type { Sender } from './sender.ts'

export const twilio: Sender = {
  path: '/webhook/twilio',
  contentType: 'application/x-www-form-urlencoded',
  variable: 'TWILIO_AUTH_TOKEN',
  batches: false,
  newId: () => `SM${randomUUID().replaceAll('-', '')}`,
  body: ([message]) => {
    const { message_id: MessageSid = '', from: From = '', to: To = '', text: Body = '' } = message ?? {}
    return String(new URLSearchParams({ MessageSid, From, To, Body, NumMedia: '0' }))
  },
  signer ({ twilioTokens, publicUrl }, token = twilioTokens[0]) {
    return token
      ? (body, _id, { origin, pathname }) => {
          const url = (publicUrl || origin).replace(/\/+$/, '') + pathname
          return { 'X-Twilio-Signature': signTwilio(token, url, parseForm(Buffer.from(body))) }
        }
      : undefined
  }
}
