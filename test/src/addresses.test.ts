import t from 'tap'
import { isLoopback } from '../../src/addresses.ts'

t.test('loopback is what only the machine itself reaches', async t => {
  for (const address of ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) t.ok(isLoopback(address), address)
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '128.0.0.1', '126.255.255.255', '::2', '::ffff:10.0.0.1', 'fe80::1']) t.notOk(isLoopback(address), address)
})
