/**
 * WhatsApp's Cloud API: a delivery holds any number of messages, and of statuses of messages that were sent.
 *
 * https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview
 */
import { Type } from '@sinclair/typebox'
import { CLAIMED_BYTES, messageIdOf, parseJson } from '../delivery.ts'
import type { Arrival, UnreadItem } from '../message.ts'
import { fieldsOf, itemsOf, type Fields } from './json.ts'
import type { Provider } from './provider.ts'
import { messageOf, rawOf, recipientOf, SOURCE } from './whatsapp-item.ts'

/** What Meta calls an account, and the one of its subjects that brings messages to it. Where neither is named, they are meant. */
const [OBJECT, FIELD] = ['whatsapp_business_account', 'messages']

const metadata = { display_phone_number: '15550783881', phone_number_id: '106540352242922' }
const example = (value: object) => ({
  object: OBJECT, entry: [{ id: '102290129340398', changes: [{ field: FIELD, value: { messaging_product: 'whatsapp', metadata, ...value } }] }]
})

/** Any object: what Meta adds or leaves out is no reason to have it repeat a delivery for days. */
export const WhatsappPayload = Type.Object({}, {
  description: 'a JSON object, as Meta sends it: messages are in entry[].changes[].value.messages[]',
  examples: [
    example({
      contacts: [{ profile: { name: 'Asha' }, wa_id: '919876543210' }],
      messages: [{ from: '919876543210', id: 'wamid.HBgMOTE5ODc2NTQzMjEw', timestamp: '1736935200', type: 'text', text: { body: 'Hello' } }]
    }),
    example({
      contacts: [{ profile: { name: 'Asha', username: '@asha' }, user_id: 'IN.13491208655302741918' }],
      messages: [{ from_user_id: 'IN.13491208655302741918', id: 'wamid.HBgMSU4uMTM0OTEyMDg2', timestamp: '1736935260', type: 'image', image: { id: '1', caption: 'Look' } }]
    }),
    example({ statuses: [{ id: 'wamid.HBgMOTE5ODc2NTQzMjEx', status: 'delivered', timestamp: '1736935320', recipient_id: '919876543210' }] })
  ]
})

export const whatsapp: Provider = {
  source: SOURCE,
  parse: parseJson,
  idOf: firstId,
  claimedId (body) {
    if (body.length > CLAIMED_BYTES) return undefined
    try {
      return firstId(JSON.parse(body.toString()))
    } catch {
      return undefined
    }
  }
}

/** What a delivery holds. */
export interface WhatsappItems {
  readonly messages: readonly Arrival[]
  /** Items among the messages that could not be read as one. */
  readonly unread: readonly UnreadItem[]
  /** How many statuses of messages that were sent. */
  readonly statuses: number
  /** How many changes that tell of anything else. */
  readonly ignored: number
}

/** Reads a delivery, each item for itself: one that cannot be read drops no other, and nothing makes it throw. */
export function readWhatsapp (payload: unknown): WhatsappItems {
  const messages: Arrival[] = []
  const unread: UnreadItem[] = []
  let [statuses, ignored] = [0, 0]
  for (const value of valuesIn(payload)) {
    const [items, told] = [itemsOf(value['messages']), itemsOf(value['statuses']).length]
    const to = items.length === 0 ? '' : recipientOf(value)
    for (const item of items) {
      const message = messageOf(item, to, value['contacts'])
      if (message === undefined) unread.push({ source: SOURCE, raw: rawOf(item) })
      else messages.push(message)
    }
    statuses += told
    if (items.length + told === 0) ignored++
  }
  return { messages, unread, statuses, ignored }
}

/** What each change of a delivery tells of messages: nothing, when that is not its subject. */
function * valuesIn (payload: unknown): Generator<Fields> {
  const { object = OBJECT, entry: entries } = fieldsOf(payload)
  for (const entry of itemsOf(entries)) {
    for (const change of itemsOf(fieldsOf(entry)['changes'])) {
      const { field = FIELD, value } = fieldsOf(change)
      yield fieldsOf(object === OBJECT && field === FIELD ? value : undefined)
    }
  }
}

/** The id for the log line: that of the first message that has one. */
function firstId (parsed: unknown): string | undefined {
  for (const value of valuesIn(parsed)) {
    for (const item of itemsOf(value['messages'])) {
      const id = messageIdOf({ message_id: fieldsOf(item)['id'] })
      if (id !== undefined) return id
    }
  }
  return undefined
}
