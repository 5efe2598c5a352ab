import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { audit } from './audit.ts'
import { BOTH, type Fault } from './fault.ts'
import { untilReady, type Room } from './room.ts'
import { watch } from './watch.ts'

const SIZE = '48m'

export const full: Fault = {
  name: 'full',
  what: 'the disk, a tmpfs of 48 MiB, is full for 5 s',
  backends: BOTH,
  table: 'faults',
  async run (room) {
    const disk = mountSmall(room)
    if (disk === undefined) {
      room.note('not run: it takes the right to mount a tmpfs')
      return undefined
    }
    if (room.backend === 'sqlite') room.url = `sqlite:///${join(disk, 'app.db')}`
    else await moveTo(room, disk)

    const server = await room.start()
    const provider = await room.provider()
    await provider.deliver(1)

    const ballast = join(disk, 'ballast')
    fill(ballast)
    const watching = watch(server.url)
    // What was set aside before is used up first.
    await provider.deliver(3)
    const { statuses, malformed } = await provider.deliver(5)
    const { notLive, notReady, asked } = await watching.stop()
    room.expect((statuses['200'] ?? 0) === 0, 'a delivery was answered 200 while the disk was full')
    room.expect(Object.keys(statuses).every(status => ['200', '503'].includes(status)) && malformed === 0, 'an answer was not as promised')
    room.expect(notLive === 0, 'it was not live')
    room.note(`${statuses['503'] ?? 0} answers of 503 in 5 s; ready said no ${notReady} of ${asked} times`)

    rmSync(ballast)
    const begun = performance.now()
    await untilReady(server.url)
    const again = await provider.deliver(3)
    room.expect((again.statuses['200'] ?? 0) > 0, 'it did not recover by itself')
    room.note(`took deliveries again within ${Math.round(performance.now() - begun - 3000 + again.pause)} ms`)
    return audit(room, server)
  }
}

/** @returns undefined where that is not allowed */
function mountSmall (room: Room): string | undefined {
  const folder = join(room.folder, 'small')
  mkdirSync(folder)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=0777`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  room.afterwards(async () => {
    if (room.backend === 'postgres') await leave(room)
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        execFileSync('umount', [folder], { stdio: 'ignore' })
        return
      } catch {
        await delay(250)
      }
    }
  })
  return folder
}

function fill (file: string): void {
  const chunk = Buffer.alloc(65_536)
  const opened = openSync(file, 'w')
  for (let size = chunk.length; size >= 512;) {
    try {
      if (writeSync(opened, chunk, 0, size) < size) size /= 2
    } catch {
      size /= 2
    }
  }
  closeSync(opened)
}

/** The tables lie on the small disk; the log of PostgreSQL itself, whose server ends when that one is full, does not. */
async function moveTo (room: Room, disk: string): Promise<void> {
  const folder = join(disk, 'tables')
  mkdirSync(folder)
  // PostgreSQL runs as nobody where the tests run as root.
  execFileSync('chmod', ['755', room.folder])
  if (process.getuid?.() === 0) execFileSync('chown', ['nobody', folder])
  await room.postgres.query(room.url, `CREATE TABLESPACE small LOCATION '${folder}'`)
  const admin = new URL(room.url)
  const name = admin.pathname.slice(1)
  admin.pathname = '/postgres'
  await room.postgres.query(admin.href, `ALTER DATABASE ${name} SET TABLESPACE small`)
}

async function leave (room: Room): Promise<void> {
  const admin = new URL(room.url)
  const name = admin.pathname.slice(1)
  admin.pathname = '/postgres'
  await room.postgres.query(admin.href, `DROP DATABASE ${name} WITH (FORCE)`)
  await room.postgres.query(admin.href, 'DROP TABLESPACE small')
}
