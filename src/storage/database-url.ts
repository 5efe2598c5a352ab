/** Where the messages are kept. */
export type DatabaseLocation =
  | { readonly backend: 'sqlite', readonly file: string | undefined }
  | { readonly backend: 'postgres', readonly url: string }

const SQLITE = /^sqlite:\/\/\/(?<path>.+)$/s
const POSTGRES = /^postgres(?:ql)?:\/\/./

/**
 * Reads a DATABASE_URL. `sqlite:///relative.db` is relative to the working directory, `sqlite:////absolute.db` is
 * absolute, and `sqlite:///:memory:` is a database that is gone with the process (`file` is undefined). What follows the
 * third slash is the path as it is: nothing in it is decoded. `postgres://…` and `postgresql://…` are connection URIs:
 * https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 *
 * @returns undefined when the URL names no database that Letterbox can use
 */
export function parseDatabaseUrl (url: string): DatabaseLocation | undefined {
  if (POSTGRES.test(url)) return URL.canParse(url) ? { backend: 'postgres', url } : undefined
  const path = SQLITE.exec(url)?.groups?.['path']
  if (path === undefined || path.endsWith('/') || path.includes('?')) return undefined
  return { backend: 'sqlite', file: path === ':memory:' ? undefined : path }
}
