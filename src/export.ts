import type { StoredMessage } from './message.ts'

/** A way to write messages down, one after the other. */
export interface Format {
  /** The media type. */
  readonly type: string
  /** What stands before the first message. */
  readonly head: string
  /** One message, with the end of its line. */
  readonly line: (message: StoredMessage) => string
}

const COLUMNS = ['message_id', 'from', 'to', 'ts', 'text', 'source', 'type', 'received_at', 'raw'] as const satisfies (keyof StoredMessage)[]

export const FORMATS = {
  /** A JSON object a line, as GET /messages/{message_id} answers it. */
  ndjson: { type: 'application/x-ndjson', head: '', line: toJson },
  /** RFC 4180, in UTF-8, with a header row. A null is an empty cell, an empty text is `""`. Cells are what was sent, to the byte. */
  csv: { type: 'text/csv; charset=utf-8; header=present', head: `${COLUMNS.join()}\r\n`, line: message => `${COLUMNS.map(column => toCell(message[column])).join()}\r\n` }
} as const satisfies Record<string, Format>
export type FormatName = keyof typeof FORMATS

/** JSON may hold line breaks between its tokens, and nowhere else. */
function toJson ({ raw, ...message }: StoredMessage): string {
  const { message_id, from, to, ts, text, source, type, received_at } = message
  const head = JSON.stringify({ message_id, from, to, ts, text, source, type, received_at })
  return `${head.slice(0, -1)},"raw":${raw === null ? 'null' : raw.replace(/[\r\n]/g, ' ')}}\n`
}

function toCell (value: string | null): string {
  if (value === null) return ''
  return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** So many bytes are handed on at once: few enough that a slow line shows that it takes them. */
const CHUNK = 64 * 1024

/** Pages of messages as bytes. Nothing is read before it is asked for. */
export async function * written (pages: AsyncIterable<readonly StoredMessage[]>, { head, line }: Format): AsyncGenerator<Buffer, void, undefined> {
  if (head !== '') yield Buffer.from(head)
  for await (const page of pages) {
    const bytes = Buffer.from(page.map(line).join(''))
    for (let start = 0; start < bytes.length; start += CHUNK) yield bytes.subarray(start, start + CHUNK)
  }
}
