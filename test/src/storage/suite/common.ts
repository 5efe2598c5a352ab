import type { Test } from 'tap'
import type { Arrival, Message } from '../../../../src/message.ts'
import type { Filter, MessageStore, Page, SaveResult, StoreObserver } from '../../../../src/storage/message-store.ts'
import { withoutOrigin } from '../reference.ts'
import type { OpenStore } from '../store-suite.ts'

export const EVERYTHING: Filter = {}

/** Whom nothing is of interest. */
export const SILENT: StoreObserver = { committed () {}, notice () {} }

/** A message; `fields` override it. */
export function message (fields: Partial<Message> = {}): Message {
  return { message_id: 'm1', from: '+919876543210', to: '+14155550100', ts: '2025-01-15T10:00:00Z', text: 'Hello', ...fields }
}

/** Opens a store for one test, that holds these messages. */
export async function storeOf (t: Test, open: OpenStore, ...messages: Arrival[]): Promise<MessageStore> {
  const store = await open(t, SILENT)
  t.teardown(() => store.close())
  await saveAll(store, messages)
  return store
}

/** Saves all of them at once. */
export function saveAll (store: MessageStore, messages: readonly Arrival[]): Promise<SaveResult[]> {
  return Promise.all(messages.map(each => store.save(each)))
}

/** One message, without how it came in. */
export async function messageIn (store: MessageStore, id: string): Promise<Message | undefined> {
  const record = await store.get(id)
  return record && withoutOrigin(record)
}

/** All rows that a filter lets through, met by walking from page to page. */
export async function walk (store: MessageStore, filter: Filter, limit: number): Promise<Message[]> {
  let page: Page = await store.page(filter, limit, 0)
  const rows = page.messages
  while (page.next !== undefined) {
    page = await store.pageAfter(filter, limit, page.next)
    rows.push(...page.messages)
  }
  return rows
}

export const ids = (messages: readonly Message[]): string[] => messages.map(each => each.message_id)

export const count = (results: readonly SaveResult[], result: SaveResult): number => results.filter(each => each === result).length
