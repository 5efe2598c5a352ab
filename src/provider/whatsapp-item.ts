/** One message of WhatsApp's: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages */
import type { Arrival } from '../message.ts'
import { isStorable } from '../storable.ts'
import { cutBelow, fieldsOf, isDeeper, itemsOf, type Fields } from './json.ts'
import { numberOf } from './number.ts'
import { storableText } from './text.ts'

export const SOURCE = 'whatsapp'

/** Lengths in characters. */
const [ID_LENGTH, TYPE_LENGTH, TEXT_LENGTH] = [600, 64, 4096]
/** No item of WhatsApp's has more than ten; reading and writing JSON that has thousands ends in a full stack somewhere. */
const LEVELS = 64
/** The last second of the year 9999, in s since 1970. */
const LAST_SECOND = 253_402_300_799

/**
 * The message that an item of `messages` is; undefined when it is none: without an id, a time or a sender.
 *
 * @param to whose it is
 * @param contacts what stands beside it of who sent
 */
export function messageOf (item: unknown, to: string, contacts: unknown): Arrival | undefined {
  const fields = fieldsOf(item)
  const { id, timestamp, type } = fields
  const ts = timeOf(timestamp)
  const from = senderOf(fields, contacts)
  if (!isId(id) || ts === undefined || from === undefined || isDeeper(item, LEVELS)) return undefined
  return {
    message_id: id,
    from,
    to,
    ts,
    text: textOf(fields),
    source: SOURCE,
    type: typeof type === 'string' ? storableText(type.slice(0, TYPE_LENGTH)) : null,
    raw: JSON.stringify(item)
  }
}

/** An item as JSON, whatever it is: deeper than messages go, with nulls in place of what stands below that. */
export function rawOf (item: unknown): string {
  return JSON.stringify(cutBelow(item, LEVELS))
}

function isId (id: unknown): id is string {
  if (typeof id !== 'string' || id === '' || id.length > 2 * ID_LENGTH || !isStorable(id)) return false
  return id.length <= ID_LENGTH || [...id].length <= ID_LENGTH
}

/** @param timestamp seconds since 1970, in a string or as a number */
function timeOf (timestamp: unknown): string | undefined {
  const seconds = typeof timestamp === 'string' && /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : timestamp
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > LAST_SECOND) return undefined
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/**
 * Who goes by a username hides his number: `from` is missing then, and a user id, which only this business knows, is in its
 * place. Some items name nobody; where the delivery knows one contact, it is his.
 * https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
 */
function senderOf ({ from, from_user_id: userId }: Fields, contacts: unknown): string | undefined {
  const party = partyOf(from) || partyOf(userId) || onlyContact(contacts)
  return party === '' ? undefined : withPlus(party)
}

function onlyContact (contacts: unknown): string {
  const all = itemsOf(contacts)
  const { wa_id: number, user_id: userId } = fieldsOf(all.length === 1 ? all[0] : undefined)
  return partyOf(number) || partyOf(userId)
}

/** The business's number, which may be written for people; or else the id of its line; or else `+02`: nobody. */
export function recipientOf ({ metadata }: Fields): string {
  const { display_phone_number: display, phone_number_id: line } = fieldsOf(metadata)
  const digits = partyOf(display).replace(/[^0-9]/g, '')
  return PHONE.test(digits) ? withPlus(digits) : numberOf(partyOf(line))
}

function partyOf (value: unknown): string {
  return typeof value === 'string' || Number.isSafeInteger(value) ? String(value) : ''
}

const PHONE = /^[1-9][0-9]{0,31}$/

function withPlus (party: string): string {
  return PHONE.test(party) ? `+${party}` : numberOf(party)
}

const MEDIA = ['image', 'video', 'document', 'audio', 'sticker'].map(type => [type, [`${type}.caption`]] as const)

/**
 * Where what somebody wrote, or chose, stands in an item of each type. Types that are not here have no text: a location,
 * contacts, what WhatsApp does not pass on, whatever it invents.
 */
const PLACES = new Map<unknown, readonly (readonly string[])[]>([
  ['text', ['text.body']] as const,
  ...MEDIA,
  ['button', ['button.text']] as const,
  ['interactive', ['interactive.button_reply.title', 'interactive.list_reply.title', 'interactive.nfm_reply.body']] as const,
  // Empty, or missing, when the reaction was taken back.
  ['reaction', ['reaction.emoji']] as const,
  ['order', ['order.text']] as const,
  ['system', ['system.body']] as const,
  ['edit', ['edit.message.text.body', ...MEDIA.flatMap(([, places]) => places.map(place => `edit.message.${place}`))]] as const
].map(([type, places]) => [type, places.map(place => place.split('.'))]))

/**
 * The text of an item as it can be stored; null when it has none, or an empty one. Of a longer one these are the first 4,096
 * characters: people's apps let them write more, a refusal would be repeated for days, and `raw` has it whole.
 */
function textOf (item: Fields): string | null {
  for (const place of PLACES.get(item['type']) ?? []) {
    const text = place.reduce<unknown>((value, key) => fieldsOf(value)[key], item)
    if (typeof text === 'string' && text !== '') return firstCharacters(storableText(text))
  }
  return null
}

function firstCharacters (text: string): string {
  return text.length <= TEXT_LENGTH ? text : [...text.slice(0, 2 * TEXT_LENGTH)].slice(0, TEXT_LENGTH).join('')
}
