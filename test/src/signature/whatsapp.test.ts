import t from 'tap'
import { hmacVerifier } from '../../../src/signature/hmac.ts'
import { tokenVerifier, WHATSAPP_SCHEME } from '../../../src/signature/whatsapp.ts'

t.test("a delivery is signed as GitHub's, whose documented example this is", async t => {
  const body = Buffer.from('Hello, World!')
  const verify = hmacVerifier(WHATSAPP_SCHEME, ["It's a Secret to Everybody"])
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  t.strictSame(verify({ 'x-hub-signature-256': signature }, body), { body, secret: 0 })
  t.match(verify({ 'x-hub-signature-256': signature.slice(7) }, body), { refusal: 'malformed' })
  t.match(verify({ 'x-hub-signature': signature }, body), { refusal: 'missing' })
})

t.test('a verify token is right when it is the same, to the letter', async t => {
  const isRight = tokenVerifier('a token: ü')
  t.ok(isRight('a token: ü'))
  for (const other of ['', 'a token', 'a token: ü ', ' a token: ü', 'A token: ü', 'a token: u\u0308']) t.notOk(isRight(other), other)
})

t.test('without a token none is right', async t => {
  for (const presented of ['', 'undefined', 'null']) t.notOk(tokenVerifier(undefined)(presented))
})
