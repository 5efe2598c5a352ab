/** Files that are no good. Each is refused at the start in one line, or the service is not ready while it is. */
import { execFileSync } from 'node:child_process'
import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, rmSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from '../test/process.ts'
import { inspect } from '../test/src/storage/inspect.ts'
import type { User } from '../bench/processes.ts'
import type { Fault } from './fault.ts'
import type { Room } from './room.ts'

const PAGE = 4096

/** What is done to a sound file of some hundred pages. */
const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  'a folder': file => {
    rmSync(file)
    mkdirSync(file)
  },
  'a text': file => { writeFileSync(file, 'This is a text and no database. '.repeat(1000)) },
  'from a newer version': file => { inspect(file, database => database.exec("INSERT INTO schema_version (version, name) VALUES (999, 'future')")) },
  'cut in half': file => { truncateSync(file, Math.floor(statSync(file).size / 2 / PAGE) * PAGE) },
  'all but its first page overwritten': file => { overwrite(file, PAGE, statSync(file).size) },
  'its first page overwritten': file => { overwrite(file, 0, PAGE) },
  'half of it overwritten': file => { overwrite(file, Math.floor(statSync(file).size / 2), statSync(file).size) }
}

export const file: Fault = {
  name: 'file',
  what: 'the database file is no good',
  backends: ['sqlite'],
  table: 'files',
  async run (room) {
    const server = await room.start()
    const provider = await room.provider()
    await provider.deliver(1)
    await provider.end()
    await server.stop()
    const sound = join(room.folder, 'sound.db')
    copyFileSync(room.file, sound)

    for (const [name, damage] of Object.entries(DAMAGES)) {
      rmSync(room.file, { recursive: true, force: true })
      copyFileSync(sound, room.file)
      damage(room.file)
      await look(room, name)
      for (const suffix of ['-wal', '-shm']) rmSync(room.file + suffix, { force: true })
    }

    rmSync(room.file, { recursive: true, force: true })
    copyFileSync(sound, room.file)
    await lookAtReadOnly(room)
    return undefined
  }
}

/** Starts the service on it, and delivers and reads when it does start. */
async function look (room: Room, name: string, user?: User): Promise<void> {
  try {
    const server = await room.start({ ...user && { user } })
    const provider = await room.provider({ again: Infinity, connections: 4 })
    const { statuses } = await provider.deliver(1)
    const reads = await Promise.all(['/messages?limit=100', '/stats', '/messages?q=seventy', '/messages?limit=1&offset=500'].map(path => ask(server.url + path)))
    const { status } = await ask(`${server.url}/health/ready`)
    const healthy = status === 200
    const refused = Object.entries(statuses).some(([status, count]) => status !== '200' && count > 0)
    room.expect(!(healthy && refused), `${name}: it says that it is ready and refuses deliveries`)
    room.expect(reads.every(read => [200, 503].includes(read.status ?? 0)), `${name}: a read was answered ${reads.map(read => read.status)}`)
    const errors = new Set(server.log().split('\n').filter(line => line.includes('"error"')).map(line => JSON.parse(line).error))
    const delivered = Object.entries(statuses).map(([status, count]) => `${status} (${count} times)`)
    tell(room, name, `runs; ready ${status}; deliveries ${delivered.join(', ')}; reads ${reads.map(read => read.status).join(', ')}; log “${[...errors].slice(0, 2).join('”, “')}”`)
    await server.stop()
  } catch (error) {
    const lines = (error as Error).message.replace('the server ended: ', '').trim().split('\n')
    const [line = ''] = lines
    room.expect(lines.length === 1 && line.startsWith('{'), `${name}: it ended with ${lines.length} lines: ${lines}`)
    if (line.startsWith('{')) tell(room, name, `does not start: “${reason(JSON.parse(line).msg, room)}”`)
  }
}

function tell ({ measured }: Room, file: string, outcome: string): void {
  (measured.files ??= []).push({ file, outcome })
}

function reason (text: string, room: Room): string {
  return text.replaceAll(room.file, 'app.db').replace('DATABASE_URL names app.db, which cannot be used: ', '')
}

/** Root may write everything, so it takes another user. */
async function lookAtReadOnly (room: Room): Promise<void> {
  if (process.getuid?.() !== 0) {
    chmodSync(room.file, 0o444)
    return look(room, 'read-only')
  }
  const id = (which: string): number => Number(execFileSync('id', [which, 'nobody']))
  chmodSync(room.folder, 0o755)
  chmodSync(room.file, 0o444)
  await look(room, 'read-only', { uid: id('-u'), gid: id('-g') })
}

function overwrite (file: string, from: number, to: number): void {
  const opened = openSync(file, 'r+')
  for (let at = from; at < to; at += PAGE) writeSync(opened, Buffer.alloc(Math.min(PAGE, to - at), 0x5a), 0, undefined, at)
  closeSync(opened)
}
