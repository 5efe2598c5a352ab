import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { ClientConfig } from 'pg'
import { parse } from 'pg-connection-string'
import { StoreUnusable } from '../errors.ts'

/** Of these, pg has meanings of its own, all of them `verify-full`, and announces weaker ones for its next version. */
const STRICT = ['prefer', 'require', 'verify-ca']
const MODES = ['disable', 'no-verify', ...STRICT, 'verify-full']
/** What a URL says of TLS. */
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'uselibpqcompat']

/**
 * How a server is reached, as a URL says, with the files that it names. They are read once: a connection that is made while
 * one of them is being replaced must not fail for that.
 *
 * @throws {StoreUnusable} one sentence that names the parameter and its rule, and no value
 */
export function connectionTo (url: string): ClientConfig {
  const parsed = new URL(url)
  const { searchParams: parameters } = parsed
  const { sslmode = 'disable', sslrootcert, sslcert, sslkey, uselibpqcompat } = Object.fromEntries(parameters)
  check(`sslmode must be ${MODES.join(' or ')}`, () => MODES.includes(sslmode))
  if (sslrootcert) check('sslrootcert must be the path of a file of certificates, in PEM', () => new X509Certificate(readFileSync(sslrootcert, 'utf8')))
  if (sslcert || sslkey) {
    check('sslcert and sslkey must be the paths of a certificate and of its key, in PEM, without a password', () =>
      createSecureContext({ cert: readFileSync(String(sslcert)), key: readFileSync(String(sslkey)) }))
  }
  check('sslmode=verify-ca must come with sslrootcert', () => sslmode !== 'verify-ca' || uselibpqcompat !== 'true' || sslrootcert)

  if (STRICT.includes(sslmode) && uselibpqcompat !== 'true') parameters.set('sslmode', 'verify-full')
  // One that says nothing of TLS stays as it is, to the byte.
  const isPlain = !PARAMETERS.some(parameter => parameters.has(parameter))
  const { ssl } = check('user, password and database must be percent-encoded UTF-8', () => parse(isPlain ? url : parsed.href))
  if (isPlain) return { connectionString: url }
  for (const parameter of PARAMETERS) parameters.delete(parameter)
  return { connectionString: parsed.href, ...ssl !== undefined && { ssl: ssl as ClientConfig['ssl'] } }
}

/** @returns what `read` finds, where it finds something */
function check<Found> (rule: string, read: () => Found): Found {
  let cause: unknown
  try {
    const found = read()
    if (found) return found
  } catch (error) {
    cause = error
  }
  throw new StoreUnusable(rule, { cause })
}
