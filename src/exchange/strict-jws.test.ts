import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { china, forgeJws, kazakhstan, mirrorSignature, testKey, testMessage } from '../../tests/builders/exchange.ts'
import { decodeBase64Url, readJws, sha256, signerOf, signJws, verifyJws } from './strict-jws.ts'

const signer = kazakhstan.signer('live')
const key = kazakhstan.sign.live.publicKey
const { compact, digest } = testMessage()
const [header = '', payload = '', signature = ''] = compact.split('.')
const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url')

function reasonOf(text: string): string | undefined {
  const read = readJws(text, 'dx1-message')
  return read.ok ? undefined : read.refusal.reason
}

describe('what is read', () => {
  test('admits what it signed itself, and the signature verifies', () => {
    const read = readJws(compact, 'dx1-message')
    expect(read.ok && read.value.kid).toBe('KZ-KGD.live.sign.1')
    expect(read.ok && read.value.digest).toBe(digest)
    expect(read.ok && verifyJws(read.value, key)).toBe(true)
  })

  test('takes the digest over header and payload and never over the signature', () => {
    expect(digest).toBe(sha256(`${header}.${payload}`))
    const again = signJws('dx1-message', JSON.parse(Buffer.from(payload, 'base64url').toString()), signer)
    expect(again.compact).not.toBe(compact)
    expect(again.digest).toBe(digest)
  })

  test('admits the mirrored signature (r, n − s) and gives it the same digest', () => {
    const mirrored = mirrorSignature(compact)
    const read = readJws(mirrored, 'dx1-message')
    expect(mirrored).not.toBe(compact)
    expect(read.ok && verifyJws(read.value, key)).toBe(true)
    expect(read.ok && read.value.digest).toBe(digest)
  })

  test('admits header members in another order and with white space, as another content', () => {
    const other = forgeJws(
      { header: `{ "typ":"dx1-message", "kid":"${signer.kid}", "alg":"ES256" }`, payload: { a: 1 } },
      signer,
    )
    expect(readJws(other, 'dx1-message').ok).toBe(true)
  })

  test('does not verify with another key', () => {
    const read = readJws(compact, 'dx1-message')
    expect(read.ok && verifyJws(read.value, china.sign.live.publicKey)).toBe(false)
  })

  test('does not verify a signature of zeros', () => {
    const read = readJws(`${header}.${payload}.${encode(Buffer.alloc(64))}`, 'dx1-message')
    expect(read.ok && verifyJws(read.value, key)).toBe(false)
  })
})

describe('the header is exactly {alg: ES256, kid, typ}', () => {
  const withHeader = (value: unknown): string => forgeJws({ header: value, payload: { a: 1 } }, signer)
  const good = { alg: 'ES256', kid: signer.kid, typ: 'dx1-message' }

  test.each([
    ['alg none', { ...good, alg: 'none' }, 'alg'],
    ['alg None in another case', { ...good, alg: 'nOnE' }, 'alg'],
    ['alg HS256', { ...good, alg: 'HS256' }, 'alg'],
    ['alg ES384', { ...good, alg: 'ES384' }, 'alg'],
    ['alg as a list', { ...good, alg: ['ES256'] }, 'alg'],
    ['no alg', { kid: signer.kid, typ: 'dx1-message' }, 'alg'],
    ['crit', { ...good, crit: ['exp'], exp: 1 }, 'header-member'],
    ['an empty crit', { ...good, crit: [] }, 'header-member'],
    ['b64 false', { ...good, b64: false, crit: ['b64'] }, 'header-member'],
    ['b64 true', { ...good, b64: true }, 'header-member'],
    ['an embedded key', { ...good, jwk: kazakhstan.sign.live.publicJwk }, 'header-member'],
    ['the address of a key', { ...good, jku: 'https://keys.example/jwks.json' }, 'header-member'],
    ['a certificate', { ...good, x5c: ['MII'] }, 'header-member'],
    ['the address of a certificate', { ...good, x5u: 'https://keys.example/cert' }, 'header-member'],
    ['zip', { ...good, zip: 'DEF' }, 'header-member'],
    ['cty', { ...good, cty: 'JWT' }, 'header-member'],
    ['constructor', { ...good, constructor: 1 }, 'header-member'],
    ['another kind', { ...good, typ: 'dx1-receipt' }, 'typ'],
    ['JWT', { ...good, typ: 'JWT' }, 'typ'],
    ['no kind', { alg: 'ES256', kid: signer.kid }, 'typ'],
    ['no key id', { alg: 'ES256', typ: 'dx1-message' }, 'kid'],
    ['a path as key id', { ...good, kid: '../../etc/passwd' }, 'kid'],
    ['SQL as key id', { ...good, kid: "x' or '1'='1" }, 'kid'],
    ['a null character in the key id', { ...good, kid: 'key\u0000' }, 'kid'],
    ['an empty key id', { ...good, kid: '' }, 'kid'],
    ['a key id of 101 characters', { ...good, kid: 'k'.repeat(101) }, 'kid'],
    ['a number as key id', { ...good, kid: 1 }, 'kid'],
    ['a list', [good], 'header'],
    ['null', 'null', 'header'],
    ['a text', '"ES256"', 'header'],
    ['a duplicate alg', `{"alg":"none","alg":"ES256","kid":"${signer.kid}","typ":"dx1-message"}`, 'header'],
    ['an equal duplicate', `{"alg":"ES256","alg":"ES256","kid":"${signer.kid}","typ":"dx1-message"}`, 'header'],
    ['an escaped duplicate', `{"alg":"none","\\u0061lg":"ES256","kid":"${signer.kid}","typ":"dx1-message"}`, 'header'],
    ['__proto__', `{"alg":"ES256","kid":"${signer.kid}","typ":"dx1-message","__proto__":{}}`, 'header'],
    ['text after it', `${JSON.stringify(good)} {}`, 'header'],
    ['a byte order mark', `\uFEFF${JSON.stringify(good)}`, 'header'],
    ['single quotes', "{'alg':'ES256'}", 'header'],
  ])('refuses %s', (_, value, reason) => {
    expect(reasonOf(withHeader(value))).toBe(reason)
  })

  test('refuses HS256 made with the public key as its secret', () => {
    const pem = key.export({ type: 'spki', format: 'pem' })
    const input = `${encode(JSON.stringify({ ...good, alg: 'HS256' }))}.${payload}`
    const mac = createHmac('sha256', pem).update(input).digest('base64url')
    expect(reasonOf(`${input}.${mac}`)).toBe('alg')
  })

  test('does not verify a signature by the key that the header would have liked to embed', () => {
    const attacker = testKey('attacker')
    const forged = signJws('dx1-message', { a: 1 }, signerOf(signer.kid, attacker.privateKey))
    const read = readJws(forged.compact, 'dx1-message')
    expect(read.ok && verifyJws(read.value, key)).toBe(false)
  })
})

describe('the compact form has one spelling', () => {
  test.each([
    ['nothing', '', 'not-compact'],
    ['two parts', `${header}.${payload}`, 'not-compact'],
    ['four parts', `${compact}.`, 'not-compact'],
    ['five parts', `${compact}.a.b`, 'not-compact'],
    ['an empty header', `.${payload}.${signature}`, 'not-compact'],
    ['an empty payload', `${header}..${signature}`, 'not-compact'],
    ['an empty signature', `${header}.${payload}.`, 'not-compact'],
    ['a trailing newline', `${compact}\n`, 'signature-length'],
    ['a leading blank', ` ${compact}`, 'header'],
    ['a newline in the payload', `${header}.${payload.slice(0, 8)}\n${payload.slice(8)}.${signature}`, 'payload'],
    ['padding of the signature', `${compact}==`, 'signature-length'],
    ['padding of the payload', `${header}.${encode('{"a":1}')}=.${signature}`, 'payload'],
    ['a signature of 63 bytes', `${header}.${payload}.${encode(Buffer.alloc(63, 1))}`, 'signature-length'],
    ['a signature of 65 bytes', `${header}.${payload}.${encode(Buffer.alloc(65, 1))}`, 'signature-length'],
    ['a DER signature', `${header}.${payload}.${encode(Buffer.alloc(71, 1))}`, 'signature-length'],
    ['JSON serialisation', JSON.stringify({ payload, signatures: [{ protected: header, signature }] }), 'not-compact'],
  ])('refuses %s', (_, text, reason) => {
    expect(reasonOf(text)).toBe(reason)
  })

  test('refuses a last character with stray bits, which lenient decoders read as the same bytes', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = alphabet.indexOf(signature.at(-1) ?? '')
    for (let stray = 1; stray < 16; stray += 1) {
      const spelling = signature.slice(0, -1) + alphabet[last | stray]
      expect(Buffer.from(spelling, 'base64url')).toEqual(Buffer.from(signature, 'base64url'))
      expect(reasonOf(`${header}.${payload}.${spelling}`)).toBe('signature-length')
    }
  })

  test('refuses the other base64 alphabet', () => {
    expect(decodeBase64Url('-_-_')).toEqual(Buffer.from('-_-_', 'base64url'))
    expect(decodeBase64Url('+/+/')).toBeUndefined()
    expect(decodeBase64Url('+/==')).toBeUndefined()
  })

  test('decodes exactly what re-encodes to itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const bytes = decodeBase64Url(text)
        if (bytes) expect(bytes.toString('base64url')).toBe(text)
        else expect(Buffer.from(text, 'base64url').toString('base64url')).not.toBe(text)
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeBase64Url(encode(bytes))).toEqual(Buffer.from(bytes))
      }),
    )
  })
})

describe('the payload is strict JSON', () => {
  test.each([
    ['duplicate members', '{"a":1,"a":1}'],
    ['__proto__', '{"__proto__":{"iss":"KZ-KGD"}}'],
    ['a number no double can hold', '{"a":1e400}'],
    ['a fraction', '{"a":0.1}'],
    ['minus zero', '{"a":-0}'],
    ['an integer over 2^53', '{"a":9007199254740993}'],
    ['a lone surrogate', '{"a":"\\ud800"}'],
    ['seven levels', `${'{"a":'.repeat(7)}1${'}'.repeat(7)}`],
    ['a thousand levels', '['.repeat(1000)],
    ['a list', '[]'],
    ['a comment', '{"a":1}//'],
    ['NaN', '{"a":NaN}'],
    ['a raw newline in a text', '{"a":"\n"}'],
  ])('refuses %s', (_, text) => {
    expect(reasonOf(forgeJws({ payload: text }, signer))).toBe('payload')
  })

  test('refuses bytes that are not UTF-8', () => {
    const broken = encode(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))
    expect(reasonOf(`${header}.${broken}.${signature}`)).toBe('payload')
    const surrogate = encode(Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]))
    expect(reasonOf(`${header}.${surrogate}.${signature}`)).toBe('payload')
  })

  test('refuses one character over the cap of its kind before anything is decoded', () => {
    const pad = 24 * 1024 - compact.length
    expect(reasonOf(compact + 'A'.repeat(pad))).toBe('signature-length')
    expect(reasonOf(compact + 'A'.repeat(pad + 1))).toBe('too-large')
    const receipt = readJws('A'.repeat(2049), 'dx1-receipt')
    expect(!receipt.ok && receipt.refusal.reason).toBe('too-large')
  })
})

describe('for any input', () => {
  test('never throws on text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(readJws(text, 'dx1-message').ok).toBe(false)
      }),
    )
  })

  test('never throws on three parts of any JSON', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.jsonValue(),
        fc.uint8Array({ minLength: 60, maxLength: 66 }),
        (head, body, bytes) => {
          const text = `${encode(JSON.stringify(head))}.${encode(JSON.stringify(body))}.${encode(bytes)}`
          expect(readJws(text, 'dx1-message').ok).toBe(false)
        },
      ),
    )
  })

  test('refuses a flip of any single bit of a signed object', () => {
    const bytes = Buffer.from(compact)
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const read = readJws(flipped.toString('latin1'), 'dx1-message')
        const passes = read.ok && verifyJws(read.value, key)
        expect(passes).toBe(false)
      }),
      { numRuns: 1000 },
    )
  })
})
