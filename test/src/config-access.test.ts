import { join } from 'node:path'
import t from 'tap'
import { ConfigError, loadConfig, type Config } from '../../src/config.ts'
import { API_KEYS_RULE } from '../../src/api-keys.ts'
import { TRUST_PROXY_RULE } from '../../src/addresses.ts'

const keys = (API_KEYS: string): Config['apiKeys'] => loadConfig({ API_KEYS }).apiKeys

t.test('keys have a name and every character that may stand behind Bearer', async t => {
  t.strictSame(keys('a:k'), [{ name: 'a', key: 'k' }])
  t.strictSame(keys('a.b_c-1:AZaz09-._~+/==,b:k='), [{ name: 'a.b_c-1', key: 'AZaz09-._~+/==' }, { name: 'b', key: 'k=' }])
  t.strictSame(keys(' a:k , b:l '), [{ name: 'a', key: 'k' }, { name: 'b', key: 'l' }])
  t.strictSame(keys('a:k\nb:l\r\n\nc:m,\nd:n\n').map(({ name, key }) => name + key), ['ak', 'bl', 'cm', 'dn'])
  t.strictSame(keys('__proto__:k')[0]?.name, '__proto__')
  t.ok(Object.isFrozen(keys('a:k')))
})

t.test('keys that cannot be meant are refused with the rule, and not told', async t => {
  for (const API_KEYS of [
    'hunter2', ':hunter2', 'hunter2:', 'a: hunter2', 'a :hunter2', 'a:hunter2,', ',a:hunter2', 'a:hunter2,,b:k', 'a:hunter2:b', 'a:hun ter2',
    'a:hunter2,a:other', 'a:hunter2,b:hunter2', 'a b:hunter2', 'é:hunter2', 'a:hunter2é', 'a:=hunter2', 'a:=', 'a:hunter2;b:k', 'a:"hunter2"',
    `${'x'.repeat(65)}:hunter2`, 'a:hunter2\0', ' ', ',', '\n'
  ]) t.throws(() => loadConfig({ API_KEYS }), new ConfigError(`API_KEYS must be ${API_KEYS_RULE}`), JSON.stringify(API_KEYS))
  t.notMatch(API_KEYS_RULE, 'hunter2')
})

t.test('keys come from a file, one a line, whatever ends the last one', async t => {
  const folder = t.testdir({ lines: 'a:k\nb:l\n', windows: 'a:k\r\nb:l\r\n', bare: 'a:k,b:l', loose: '\na:k\n\nb:l\n\n' })
  for (const name of ['lines', 'windows', 'bare', 'loose']) {
    t.strictSame(loadConfig({ API_KEYS_FILE: join(folder, name) }).apiKeys, [{ name: 'a', key: 'k' }, { name: 'b', key: 'l' }], name)
  }
})

t.test('a file of keys that is empty does not open the reads, but ends the start', async t => {
  const folder = t.testdir({ empty: '', line: '\n', spaces: '  ' })
  for (const name of ['empty', 'line', 'spaces']) {
    t.throws(() => loadConfig({ API_KEYS_FILE: join(folder, name) }), new ConfigError(`API_KEYS must be ${API_KEYS_RULE}`), name)
  }
  t.throws(() => loadConfig({ API_KEYS_FILE: join(folder, 'none') }), new ConfigError('API_KEYS_FILE must be the path of a readable file'))
  t.throws(() => loadConfig({ API_KEYS: 'a:k', API_KEYS_FILE: join(folder, 'line') }), new ConfigError('API_KEYS and API_KEYS_FILE must not both be set'))
})

t.test('proxies are trusted by number, by address, all or none', async t => {
  for (const [TRUST_PROXY, trust] of [
    ['true', true], ['false', false], ['1', 1], ['16', 16], ['10.0.0.1', ['10.0.0.1']], ['::1', ['::1']], ['fd00::/8,10.0.0.0/8', ['fd00::/8', '10.0.0.0/8']],
    [' loopback , linklocal,uniquelocal', ['loopback', 'linklocal', 'uniquelocal']], ['10.0.0.1/32,::1/128', ['10.0.0.1/32', '::1/128']]
  ] as const) t.strictSame(loadConfig({ TRUST_PROXY }).trustProxy, trust, TRUST_PROXY)
})

t.test('proxies that cannot be meant are refused with the rule', async t => {
  for (const TRUST_PROXY of [
    '0', '17', '-1', '1.5', '01', 'yes', 'TRUE', '10.0.0.0/33', '::1/129', '10.0.0.0/0', '::/0', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', '010.0.0.1', 'proxy.example',
    'fe80::1%eth0', '10.0.0.1,', ',', ' ', 'loopback true', '10.0.0.0/255.0.0.0'
  ]) t.throws(() => loadConfig({ TRUST_PROXY }), new ConfigError(`TRUST_PROXY must be ${TRUST_PROXY_RULE}`), TRUST_PROXY)
})
