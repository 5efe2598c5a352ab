import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'

/** Says which files a module makes Node.js load. */
const LOADED = `
  import { registerHooks } from 'node:module'
  const urls = []
  registerHooks({ load (url, context, next) { urls.push(url); return next(url, context) } })
  await import(process.argv[1])
  console.log(JSON.stringify(urls))`

t.test('what the threads of the store run brings no library of schemas along', async t => {
  const storage = join(import.meta.dirname, '..', '..', 'src', 'storage', 'sqlite')
  for (const name of ['reader.ts', 'writer.ts', 'listing.ts', 'search-index.ts', 'checkpoint.ts', 'condition.ts', 'migrate.ts']) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', LOADED, join(storage, name)])
    const files: string[] = JSON.parse(stdout)
    t.ok(files.some(url => url.endsWith(name)))
    t.strictSame(files.filter(url => /typebox|ajv/.test(url)), [], name)
  }
})
