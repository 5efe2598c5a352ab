/** Where the messages are kept. */
export type DatabaseLocation =
  | { readonly backend: 'sqlite', readonly file: string }
  | { readonly backend: 'sqlite', readonly file: undefined }

const SQLITE = /^sqlite:\/\/\/(?<path>.+)$/s

/**
 * Reads a DATABASE_URL. `sqlite:///relative.db` is relative to the working directory, `sqlite:////absolute.db` is
 * absolute, and `sqlite:///:memory:` is a database that is gone with the process (`file` is undefined). What follows the
 * third slash is the path as it is: nothing in it is decoded.
 *
 * @returns undefined when the URL names no database that Letterbox can use
 */
export function parseDatabaseUrl (url: string): DatabaseLocation | undefined {
  const path = SQLITE.exec(url)?.groups?.['path']
  if (path === undefined || path.endsWith('/') || path.includes('?')) return undefined
  return { backend: 'sqlite', file: path === ':memory:' ? undefined : path }
}
