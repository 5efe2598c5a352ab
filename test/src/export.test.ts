import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import t from 'tap'
import { FORMATS, written, type Format } from '../../src/export.ts'
import type { StoredMessage } from '../../src/message.ts'

const COLUMNS = ['message_id', 'from', 'to', 'ts', 'text', 'source', 'type', 'received_at', 'raw'] as const

function record (fields: Partial<StoredMessage> = {}): StoredMessage {
  return {
    message_id: 'm1', from: '+1', to: '+2', ts: '2025-01-15T10:00:00Z', text: 'Hello', source: 'webhook', type: null, received_at: '2025-01-15T10:00:01.250Z', raw: null, ...fields
  }
}

async function file (messages: StoredMessage[], format: Format): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of written((async function * () { yield messages })(), format)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Whatever may be stored, and above all what CSV has a meaning for. */
const text = fc.array(fc.oneof(fc.constantFrom('"', '""', ',', '\r', '\n', '\r\n', ';', '\t', ' ', '=1+1', '@', '-', "'", '\\', '\ufeff'), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 6 })
  .map(parts => parts.join(''))
const maybe = fc.option(text)
const messages = fc.array(fc.record<StoredMessage>({
  message_id: text, from: text, to: text, ts: text, text: maybe, source: text, type: maybe, received_at: text, raw: fc.option(fc.json())
}), { maxLength: 5 })

t.test('a parser of CSV reads every cell as it was, and tells null from an empty text', async () => {
  await fc.assert(fc.asyncProperty(messages, async messages => {
    const csv = await file(messages, FORMATS.csv)
    const rows = parse(csv, {
      record_delimiter: '\r\n', cast: (value, { quoting }) => ({ value, quoted: quoting })
    }) as unknown as { value: string, quoted: boolean }[][]
    const cells = rows.slice(1).map(row => row.map(({ value, quoted }) => value === '' && !quoted ? null : value))
    const expected = messages.map(message => COLUMNS.map(column => message[column]))
    if (JSON.stringify(rows[0]?.map(({ value }) => value)) !== JSON.stringify(COLUMNS)) throw new Error('the header')
    if (JSON.stringify(cells) !== JSON.stringify(expected)) throw new Error(`${csv} is read as ${JSON.stringify(cells)}`)
  }), { numRuns: 500 })
})

t.test('numbers keep their +, and texts whatever they begin with: cells are what was sent', async t => {
  const row = `${await file([record({ text: '=HYPERLINK("http://x","y")', type: 'text', raw: '{"a":"b,c"}' })], FORMATS.csv)}`.split('\r\n')[1]
  t.equal(row, 'm1,+1,+2,2025-01-15T10:00:00Z,"=HYPERLINK(""http://x"",""y"")",webhook,text,2025-01-15T10:00:01.250Z,"{""a"":""b,c""}"')
})

t.test('a line of NDJSON is a whole message, with its raw JSON verbatim', async t => {
  const raw = '{"n":1.0e2,"big":12345678901234567890,"n":"\\u0041"}'
  const lines = await file([record({ raw }), record({ message_id: 'a\nb\u2028', text: null })], FORMATS.ndjson)
  t.equal(lines, `{"message_id":"m1","from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z","text":"Hello","source":"webhook","type":null,"received_at":"2025-01-15T10:00:01.250Z","raw":${raw}}
{"message_id":"a\\nb\u2028","from":"+1","to":"+2","ts":"2025-01-15T10:00:00Z","text":null,"source":"webhook","type":null,"received_at":"2025-01-15T10:00:01.250Z","raw":null}
`)
})

t.test('raw JSON of several lines is one, and the same', async t => {
  const raw = '{\r\n  "a": [\n1,\r2],\n  "b": "\\n"\n}'
  const line = await file([record({ raw })], FORMATS.ndjson)
  t.equal(line.indexOf('\n'), line.length - 1)
  t.strictSame(JSON.parse(line).raw, JSON.parse(raw))
})

t.test('bytes come in parts, whole together', async t => {
  const long = 'ü😀'.repeat(60_000)
  const chunks: number[] = []
  for await (const chunk of written((async function * () { yield [record({ raw: JSON.stringify(long) })] })(), FORMATS.ndjson)) chunks.push(chunk.length)
  t.strictSame(chunks.slice(0, -1), Array.from({ length: chunks.length - 1 }, () => 65_536))
  t.equal(JSON.parse(await file([record({ raw: JSON.stringify(long) })], FORMATS.ndjson)).raw, long)
})
