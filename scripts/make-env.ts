/**
 * Makes a .env with a random WEBHOOK_SECRET for a first run. A .env that is there is never touched, and none is made
 * when the environment holds a secret already.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'

const { WEBHOOK_SECRET, WEBHOOK_SECRET_FILE } = process.env

if (!WEBHOOK_SECRET && !WEBHOOK_SECRET_FILE) {
  try {
    writeFileSync('.env', `WEBHOOK_SECRET=${randomBytes(32).toString('hex')}\n`, { flag: 'wx', mode: 0o600 })
    console.log('made .env with a random WEBHOOK_SECRET')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
