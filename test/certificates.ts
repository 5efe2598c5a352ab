/** Certificates for tests of TLS. */
import { generate } from 'selfsigned'

/** In PEM. */
export interface Certified { readonly cert: string, readonly key: string }

export interface Authority extends Certified {
  /** A certificate of this authority, for this common name; a server's is for these hosts. */
  issue (name: string, hosts?: { readonly names?: readonly string[], readonly addresses?: readonly string[] }): Promise<Certified>
}

const TYPE = { keyType: 'ec', algorithm: 'sha256' } as const

export async function createAuthority (name: string): Promise<Authority> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    ...TYPE, extensions: [{ name: 'basicConstraints', cA: true, critical: true }, { name: 'keyUsage', keyCertSign: true, critical: true }]
  })
  return {
    cert,
    key,
    async issue (name, { names = [], addresses = [] } = {}) {
      const altNames = [...names.map(value => ({ type: 2, value }) as const), ...addresses.map(ip => ({ type: 7, ip }) as const)]
      const issued = await generate([{ name: 'commonName', value: name }], {
        ...TYPE, ca: { key, cert }, extensions: [{ name: 'basicConstraints', cA: false }, ...altNames.length > 0 ? [{ name: 'subjectAltName', altNames } as const] : []]
      })
      return { cert: issued.cert, key: issued.private }
    }
  }
}
