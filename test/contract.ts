import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { testOn } from './helper.ts'
import { startPostgres } from './postgres.ts'

const ROUTES = join(import.meta.dirname, 'routes')

/** What is promised over HTTP, once more, on PostgreSQL: the tests of routes, as they are. @param chosen by the name of the file */
export async function onPostgres (t: Test, chosen: (file: string) => boolean): Promise<void> {
  const server = await startPostgres(t)
  const [{ version } = {}] = await server.query<{ version: string }>(await server.createDatabase(), "SELECT current_setting('server_version') AS version")
  t.comment(`the contract on PostgreSQL ${version}; its tests by themselves run on SQLite`)
  testOn(async t => {
    const url = await server.databaseFor(t)
    return { url, rows: async () => Number((await server.query<{ count: string }>(url, 'SELECT count(*) FROM messages'))[0]?.count) }
  })

  for (const file of readdirSync(ROUTES).filter(name => name.endsWith('.test.ts') && chosen(name))) await import(join(ROUTES, file))
}

/** Two halves of the contract: a file of tests each, so that they can run at once. */
export const isOfWebhooks = (file: string): boolean => file.startsWith('webhook')
