/** A PostgreSQL database of each earlier version. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openMessageStore } from '../../../src/storage/open.ts'
import { startPostgres } from '../../postgres.ts'
import { untilCounted, wrongCounters } from './postgres-inspect.ts'
import { SILENT, message, messageIn, walk } from './suite/common.ts'
import { removeAll } from './suite/removals.ts'

const MIGRATIONS = join(import.meta.dirname, '../../../src/storage/postgres/migrations')
const [first = '', ...later] = readdirSync(MIGRATIONS).sort().map(name => readFileSync(join(MIGRATIONS, name), 'utf8'))

const server = await startPostgres(t)

for (let version = 1; version <= later.length; version++) {
  t.test(`a database of version ${version} is brought up to date, with everything that it holds, counted or not`, async t => {
    const url = await server.createDatabase()
    await server.query(url, `
      ${first}
      CREATE TABLE schema_version (version bigint PRIMARY KEY, name text, md5 text, run_at timestamptz);
      INSERT INTO schema_version SELECT version, 'x', '', now() FROM generate_series(1, ${version}) AS version;
      INSERT INTO messages (message_id, from_msisdn, to_msisdn, ts, text, text_folded, created_at)
        SELECT 'm' || n, '+' || n % 7 + 1, '+14155550100', '2025-01-15T10:00:00Z', 'Hello', 'hello', '2025-01-15T10:00:01.25Z' FROM generate_series(1, 100) AS n;
      INSERT INTO uncounted (from_msisdn, to_msisdn, second) SELECT from_msisdn, to_msisdn, left(moment, 19) FROM messages WHERE message_id > 'm5';
      INSERT INTO senders SELECT from_msisdn, count(*) FROM messages WHERE message_id <= 'm5' GROUP BY 1;
      INSERT INTO busiest_senders SELECT * FROM senders;
      INSERT INTO recipients SELECT to_msisdn, count(*) FROM messages WHERE message_id <= 'm5' GROUP BY 1;
      INSERT INTO periods SELECT level, left(moment, level), count(*) FROM messages, unnest(ARRAY[4, 7, 10, 13, 16, 19]) AS level WHERE message_id <= 'm5' GROUP BY 1, 2;
      UPDATE totals SET count = CASE name WHEN 'messages' THEN (SELECT count(*) FROM messages WHERE message_id <= 'm5') ELSE (SELECT count(*) FROM senders) END;
      ${later.slice(0, version - 1).join('')}`)

    const store = await openMessageStore(url, SILENT)
    t.teardown(() => store.close())
    t.match(await store.get('m1'), { text: 'Hello', source: 'webhook', type: null, raw: null, received_at: '2025-01-15T10:00:01.250Z' })
    t.equal((await store.page({ source: 'webhook' }, 1, 0)).total, 100)
    t.equal((await walk(store, { source: 'webhook' }, 30)).length, 100)
    t.equal(await store.save({ ...message({ message_id: 'new' }), source: 'whatsapp', type: 'text', raw: '{}' }), 'created')
    t.equal((await store.page({ source: 'whatsapp' }, 1, 0)).total, 1)
    t.strictSame(await messageIn(store, 'new'), message({ message_id: 'new' }))
    t.equal(await removeAll(store, { from: '+1' }), 14)
    t.equal(await removeAll(store, { receivedBefore: '2025-01-16T00:00:00.000Z' }), 86)
    t.strictSame((await store.stats()).messages_per_sender, [{ from: '+919876543210', count: 1 }])
    await untilCounted(server, url)
    t.strictSame(await wrongCounters(server, url), [])
  })
}
