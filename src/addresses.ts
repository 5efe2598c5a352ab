import { BlockList, isIP } from 'node:net'

/**
 * Whose `X-Forwarded-For` is believed: nobody's, everybody's, that of so many proxies in a row, or that of these addresses
 * and networks.
 */
export type TrustProxy = boolean | number | readonly string[]

/** Completes the sentence "TRUST_PROXY must be …". */
export const TRUST_PROXY_RULE = 'true, false, a number of proxies from 1 to 16, or addresses and networks (10.0.0.0/8, fd00::/8, ' +
  'loopback, linklocal, uniquelocal) separated by commas'

const HOPS = /^(?:[1-9]|1[0-6])$/
const NAMED = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Whether TRUST_PROXY keeps the rule above. */
export function isTrustProxy (text: string): boolean {
  return text === 'true' || text === 'false' || HOPS.test(text) || networksOf(text).every(isNetwork)
}

/** Reads a TRUST_PROXY that keeps it. */
export function trustProxyOf (text: string): TrustProxy {
  if (text === 'true' || text === 'false') return text === 'true'
  return HOPS.test(text) ? Number(text) : networksOf(text)
}

function networksOf (text: string): string[] {
  return text.split(',').map(network => network.trim())
}

function isNetwork (text: string): boolean {
  if (NAMED.has(text)) return true
  const [address = '', prefix, ...rest] = text.split('/')
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIP(address) === 6 ? 128 : 32))
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Whether only programs on the same machine reach this IP address. */
export function isLoopback (address: string): boolean {
  return LOOPBACK.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}
