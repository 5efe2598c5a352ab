import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Makes this scope one of pages for a browser, with their scripts and styles: its answers get what protects those. */
    protectPage (policy: PagePolicy): Promise<void>
  }
}

/** An answer of the API is data: nobody may run it, frame it, take it for another type, or keep it. */
export const API_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store'
} as const

/** Of the one style element that Swagger UI makes: that of its logo. */
const LOGO_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"

/** The directives of a Content-Security-Policy, as helmet names them. */
export type PagePolicy = Readonly<Record<string, string[]>>

/** What a page of this service may do: run its own scripts and ask this service. */
const PAGE_POLICY = {
  defaultSrc: ["'none'"],
  baseUri: ["'none'"],
  connectSrc: ["'self'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
  imgSrc: ["'self'", 'data:'],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"]
}

/** What Swagger UI needs, and no more. Pictures within its style sheet are data: URLs. */
export const DOCS_POLICY: PagePolicy = { ...PAGE_POLICY, fontSrc: ["'self'"], styleSrc: ["'self'", LOGO_STYLE] }

/** Of the console, which shows what anybody may have sent: no string can become HTML or a script, whatever its own scripts do. */
export const CONSOLE_POLICY: PagePolicy = { ...PAGE_POLICY, requireTrustedTypesFor: ["'script'"], trustedTypes: ["'none'"] }

/** Headers that protect a browser: a few fixed ones on every answer, and helmet's on pages. */
export default fp(async root => {
  const headers = Object.entries(API_HEADERS)
  root.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of headers) reply.header(name, value)
    done()
  })

  root.decorate('protectPage', async function (policy) {
    // helmet writes to Node.js's response, over whose headers Fastify's would win.
    this.addHook('onRequest', (_request, reply, done) => {
      reply.removeHeader('content-security-policy')
      done()
    })
    await this.register(helmet, {
      contentSecurityPolicy: { useDefaults: false, directives: policy },
      xFrameOptions: { action: 'deny' },
      // Only who ends TLS in front of the service knows whether browsers may insist on it.
      strictTransportSecurity: false
    })
  })
}, { name: 'security-headers' })
