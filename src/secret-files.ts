import { readFileSync } from 'node:fs'
import { ConfigError } from './environment.ts'

/** Variables that may also be given as NAME_FILE, the path of a file that holds the value. */
export const SECRETS = [
  'WEBHOOK_SECRET', 'WEBHOOK_SECRET_PREVIOUS', 'STANDARD_WEBHOOKS_SECRET', 'TWILIO_AUTH_TOKEN',
  'WHATSAPP_APP_SECRET', 'WHATSAPP_VERIFY_TOKEN', 'API_KEYS', 'DATABASE_URL', 'DATABASE_READ_URL'
] as const

/** An environment with the contents of its files of secrets. @throws {ConfigError} */
export function withSecretFiles (env: Record<string, string>): Record<string, string> {
  const read = { ...env }
  for (const name of SECRETS) {
    const file = env[`${name}_FILE`]
    if (file === undefined) continue
    if (name in env) throw new ConfigError(`${name} and ${name}_FILE must not both be set`)
    const value = readSecret(`${name}_FILE`, file)
    // A file of keys that turns out empty must not open what it was meant to shut: it breaks the rule for API_KEYS.
    if (value !== '' || name === 'API_KEYS') read[name] = value
  }
  return read
}

function readSecret (variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new ConfigError(`${variable} must be the path of a readable file`, { cause })
  }
}
