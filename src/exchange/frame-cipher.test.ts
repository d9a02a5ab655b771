import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { CompactEncrypt, FlattenedEncrypt } from 'jose'
import { describe, expect, test } from 'vitest'
import { china, kazakhstan, testMessage } from '../../tests/builders/exchange.ts'
import { clause } from '../../tests/clause.ts'
import { frameLimits, writeFrame } from './frame.ts'
import { openFrame, sealFrame } from './frame-cipher.ts'

const recipient = { kid: china.decrypt.live.kid, key: china.decrypt.live.publicKey }
const decrypters = china.decrypters('live')
const plain = writeFrame([testMessage().entry])
const sealed = await sealFrame(plain, recipient)
const [header = '', wrappedKey = '', iv = '', ciphertext = '', tag = ''] = sealed.split('.')
const readHeader = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, unknown>
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const bytesOf = (part: string): Buffer => Buffer.from(part, 'base64url')

/** Every failure is this one refusal: whoever tries learns nothing from it. */
async function expectUnreadable(compact: string, keys = decrypters): Promise<void> {
  expect(await openFrame(compact, keys)).toEqual({ ok: false, refusal: { code: 'exchange/frame-unreadable' } })
}

test('opens what was sealed for us', async () => {
  const opened = await openFrame(sealed, decrypters)
  expect(opened.ok && Buffer.from(opened.value)).toEqual(plain)
  expect(Object.keys(readHeader).sort()).toEqual(['alg', 'enc', 'epk', 'kid', 'typ'])
})

test('seals anew each time and says nothing of the sender', async () => {
  const again = await sealFrame(plain, recipient)
  expect(again).not.toBe(sealed)
  expect(Buffer.from(header, 'base64url').toString()).not.toContain('KZ')
})

describe('the header is exactly {alg, enc, epk, kid, typ} with the two algorithms', () => {
  const swap = (value: unknown): string => [encode(value), wrappedKey, iv, ciphertext, tag].join('.')
  const epk = readHeader['epk'] as Record<string, unknown>

  test.each<[string, unknown]>([
    ['zip', { ...readHeader, zip: 'DEF' }],
    ['PBES2', { ...readHeader, alg: 'PBES2-HS256+A128KW', p2c: 2_000_000_000, p2s: 'AAAA' }],
    ['a direct key', { ...readHeader, alg: 'dir' }],
    ['direct key agreement', { ...readHeader, alg: 'ECDH-ES' }],
    ['RSA1_5', { ...readHeader, alg: 'RSA1_5' }],
    ['RSA-OAEP', { ...readHeader, alg: 'RSA-OAEP-256' }],
    ['a CBC mode', { ...readHeader, enc: 'A256CBC-HS512' }],
    ['a smaller GCM', { ...readHeader, enc: 'A128GCM' }],
    ['party info', { ...readHeader, apu: 'QQ' }],
    ['crit', { ...readHeader, crit: ['exp'], exp: 1 }],
    ['an embedded key', { ...readHeader, jwk: kazakhstan.decrypt.live.publicJwk }],
    ['the address of a key', { ...readHeader, jku: 'https://keys.example' }],
    ['another kind', { ...readHeader, typ: 'JWE' }],
    ['no kind', { ...readHeader, typ: undefined }],
    ['an unknown key id', { ...readHeader, kid: 'CN-GACC.live.decrypt.9' }],
    ['a path as key id', { ...readHeader, kid: '../../key' }],
    ['the key id of the test mode', { ...readHeader, kid: china.decrypt.test.kid }],
    ['no ephemeral key', { ...readHeader, epk: undefined }],
    ['an ephemeral key that is a text', { ...readHeader, epk: 'key' }],
    ['an ephemeral key on another curve', { ...readHeader, epk: { ...epk, crv: 'P-384' } }],
    ['an ephemeral key of another kind', { ...readHeader, epk: { kty: 'OKP', crv: 'X25519', x: epk['x'] } }],
    ['an ephemeral key with its private number', { ...readHeader, epk: { ...epk, d: epk['x'] } }],
    ['an ephemeral key without y', { ...readHeader, epk: { kty: 'EC', crv: 'P-256', x: epk['x'] } }],
    ['an all-zero ephemeral key', { ...readHeader, epk: { ...epk, x: 'A'.repeat(43), y: 'A'.repeat(43) } }],
    ['a point off the curve', { ...readHeader, epk: { ...epk, x: epk['y'], y: epk['x'] } }],
    ['a coordinate of one byte', { ...readHeader, epk: { ...epk, x: 'AQ' } }],
    ['a list', [readHeader]],
    ['null', 'null'],
    ['a duplicate member', JSON.stringify(readHeader).replace('{', `{"kid":"${recipient.kid}",`)],
    ['__proto__', JSON.stringify(readHeader).replace('{', '{"__proto__":{},')],
    ['a header of 2 KiB', { ...readHeader, kid: 'k'.repeat(2048) }],
  ])('refuses %s', async (_, value) => {
    await expectUnreadable(swap(value))
  })

  test('refuses a frame that was honestly compressed', async () => {
    const zip = new CompactEncrypt(plain).setProtectedHeader({ ...readHeader, epk: undefined, zip: 'DEF' } as never)
    const made = await zip.encrypt(recipient.key).catch(() => swap({ ...readHeader, zip: 'DEF' }))
    await expectUnreadable(made)
  })

  test('refuses a frame that was honestly made with another algorithm', async () => {
    const base = { kid: recipient.kid, typ: 'dx1-frame' }
    const direct = await new CompactEncrypt(plain)
      .setProtectedHeader({ ...base, alg: 'ECDH-ES', enc: 'A256GCM' })
      .encrypt(recipient.key)
    await expectUnreadable(direct)
    const small = await new CompactEncrypt(plain)
      .setProtectedHeader({ ...base, alg: 'ECDH-ES+A128KW', enc: 'A256GCM' })
      .encrypt(recipient.key)
    await expectUnreadable(small)
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const oaep = await new CompactEncrypt(plain)
      .setProtectedHeader({ ...base, alg: 'RSA-OAEP-256', enc: 'A256GCM' })
      .encrypt(rsa.publicKey)
    await expectUnreadable(oaep, new Map([[recipient.kid, rsa.privateKey]]))
  })
})

describe('only for whom it was sealed', () => {
  clause('STOP-2021/6.1-r1', 'refuses a frame for another partner', async () => {
    await expectUnreadable(sealed, kazakhstan.decrypters('live'))
    await expectUnreadable(sealed, new Map([[recipient.kid, kazakhstan.decrypt.live.privateKey]]))
  })

  test('refuses a frame whose recipient was swapped in the header', async () => {
    const forKazakhstan = await sealFrame(plain, {
      kid: kazakhstan.decrypt.live.kid,
      key: kazakhstan.decrypt.live.publicKey,
    })
    const parts = forKazakhstan.split('.')
    const swapped = JSON.parse(bytesOf(parts[0] ?? '').toString()) as object
    parts[0] = encode({ ...swapped, kid: recipient.kid })
    await expectUnreadable(parts.join('.'))
  })

  test('refuses a frame when we hold no key', async () => {
    await expectUnreadable(sealed, new Map())
  })
})

describe('the bytes are as they were sealed', () => {
  const joined = (parts: readonly string[]): string => parts.join('.')
  const flip = (part: string): string => {
    const bytes = bytesOf(part)
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    return bytes.toString('base64url')
  }
  const moved = Buffer.concat([bytesOf(ciphertext), bytesOf(tag).subarray(0, 4)]).toString('base64url')

  test.each<[string, string]>([
    ['a tampered tag', joined([header, wrappedKey, iv, ciphertext, flip(tag)])],
    ['a tampered ciphertext', joined([header, wrappedKey, iv, flip(ciphertext), tag])],
    ['a tampered vector', joined([header, wrappedKey, flip(iv), ciphertext, tag])],
    ['a tampered key', joined([header, flip(wrappedKey), iv, ciphertext, tag])],
    ['no wrapped key', joined([header, '', iv, ciphertext, tag])],
    [
      'a truncated tag',
      joined([header, wrappedKey, iv, ciphertext, bytesOf(tag).subarray(0, 8).toString('base64url')]),
    ],
    ['no tag', joined([header, wrappedKey, iv, ciphertext, ''])],
    [
      'a tag whose beginning stands in the ciphertext',
      joined([header, wrappedKey, iv, moved, bytesOf(tag).subarray(4).toString('base64url')]),
    ],
    ['a truncated ciphertext', joined([header, wrappedKey, iv, ciphertext.slice(0, -4), tag])],
    ['half of it', sealed.slice(0, sealed.length / 2)],
    ['four parts', joined([header, wrappedKey, iv, ciphertext])],
    ['six parts', `${sealed}.`],
    ['a trailing newline', `${sealed}\n`],
    ['padding', `${sealed}==`],
    ['the plaintext', plain.toString()],
    ['a signed message', testMessage().compact],
    ['nothing', ''],
    ['dots', '....'],
    ['text over 6 MiB', 'A'.repeat(frameLimits.wireBytesMax + 1)],
  ])('refuses %s', async (_, compact) => {
    await expectUnreadable(compact)
  })

  test('refuses the same frame in JSON serialisation', async () => {
    const flat = await new FlattenedEncrypt(plain)
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM', kid: recipient.kid, typ: 'dx1-frame' })
      .encrypt(recipient.key)
    await expectUnreadable(JSON.stringify(flat))
  })

  test('refuses a flip of any single bit', async () => {
    const bytes = Buffer.from(sealed)
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await expectUnreadable(flipped.toString('latin1'))
      }),
      { numRuns: 300 },
    )
  })
})

test('never throws on any text', async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), (text) => expectUnreadable(text)))
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.uint8Array({ maxLength: 60 }), async (value, bytes) => {
      await expectUnreadable(
        [encode(JSON.stringify(value)), ...Array(4).fill(Buffer.from(bytes).toString('base64url'))].join('.'),
      )
    }),
  )
})

test('has a wrapped key of 40 bytes, a vector of 12 and a tag of 16', () => {
  expect(bytesOf(wrappedKey).length).toBe(40)
  expect(bytesOf(iv).length).toBe(12)
  expect(bytesOf(tag).length).toBe(16)
})
