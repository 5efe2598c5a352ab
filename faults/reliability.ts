/** `npm run reliability`: writes the tables of docs/reliability.md from what `npm run faults` and `npm run soak` have kept. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAULTS } from './faults.ts'
import { BOTH } from './fault.ts'
import { withTables } from './page.ts'
import { kept, type Result, type SoakResult } from './result.ts'

const PAGE = join(import.meta.dirname, '..', 'docs', 'reliability.md')

const results = FAULTS.flatMap(({ name, backends }) => backends.flatMap(backend => kept<Result>(name, backend) ?? []))
const soaks = BOTH.flatMap(backend => kept<SoakResult>('soak', backend) ?? [])
writeFileSync(PAGE, withTables(readFileSync(PAGE, 'utf8'), { results, soaks }))
