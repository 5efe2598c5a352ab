import { join } from 'node:path'
import t from 'tap'
import { descriptorLimit } from '../../src/descriptors.ts'

t.test('the limit is the soft one, where there is one', async t => {
  const limits = (soft: string): string => [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             95988                95988                processes ',
    `Max open files            ${soft.padEnd(20)} 524288               files     `,
    'Max locked memory         8388608              8388608              bytes     ', ''
  ].join('\n')
  const folder = t.testdir({ some: limits('1024'), unlimited: limits('unlimited'), other: 'no limits' })
  t.equal(descriptorLimit(join(folder, 'some')), 1024)
  for (const name of ['unlimited', 'other', 'missing']) t.equal(descriptorLimit(join(folder, name)), undefined)
})

t.test('this process has one, or its system does not tell', async t => {
  t.ok((descriptorLimit() ?? 256) >= 256)
})
