import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  china,
  kazakhstan,
  keysetPayload,
  signKeyset,
  stranger,
  testKey,
  testMessage,
} from '../../tests/builders/exchange.ts'
import { findVerificationKey, fingerprintOf, type KeysetPayload, openKeyset } from './keyset.ts'
import { openPartnerCard } from './partner-card.ts'

const expected = { iss: 'KZ-KGD', mode: 'live' as const, root: kazakhstan.root.publicKey }
const payload = keysetPayload('KZ-KGD', 'live')
const open = (value: object, root = kazakhstan.root) => openKeyset(signKeyset(value, root), expected)
const refusalOf = (value: object): unknown => {
  const opened = open(value)
  return opened.ok ? undefined : opened.refusal
}
const firstKey = (changes: Record<string, unknown>): object => ({
  ...payload,
  keys: payload.keys.map((key, index) => (index === 0 ? { ...key, ...changes } : key)),
})

test('admits a keyset that the root signed, each key under its use', () => {
  const opened = open(payload)
  expect(opened.ok && [...opened.value.sign.keys()]).toEqual(['KZ-KGD.live.sign.1'])
  expect(opened.ok && opened.value.decrypt.map(({ kid }) => kid)).toEqual(['KZ-KGD.live.decrypt.1'])
  expect(opened.ok && opened.value.tlsPins).toEqual([kazakhstan.pin])
  expect(opened.ok && opened.value.number).toBe(1)
})

test('puts the newest decryption key first', () => {
  const older = payload.keys[1]
  const newer = { ...older, kid: 'newer', nbf: (older?.nbf ?? 0) + 86_400 } as KeysetPayload['keys'][number]
  const opened = open({ ...payload, keys: [...payload.keys, newer] })
  expect(opened.ok && opened.value.decrypt.map(({ kid }) => kid)).toEqual(['newer', 'KZ-KGD.live.decrypt.1'])
})

describe('only the root’s word counts', () => {
  test('refuses a keyset of another root', () => {
    const opened = open(payload, china.root)
    expect(!opened.ok && opened.refusal.code).toBe('exchange/signature-invalid')
  })

  test('refuses a keyset that its own signing key signed', () => {
    const opened = open(payload, kazakhstan.sign.live)
    expect(!opened.ok && opened.refusal.code).toBe('exchange/signature-invalid')
  })

  test('refuses a keyset of another administration under the same root', () => {
    expect(refusalOf({ ...payload, iss: 'KZ-XXX' })).toEqual({ code: 'exchange/wrong-issuer', found: 'KZ-XXX' })
  })

  test('refuses the keyset of the other mode', () => {
    expect(refusalOf(keysetPayload('KZ-KGD', 'test'))).toEqual({ code: 'exchange/wrong-mode' })
  })

  test('refuses a message in place of a keyset', () => {
    const opened = openKeyset(testMessage().compact, expected)
    expect(!opened.ok && opened.refusal).toEqual({ code: 'exchange/malformed', reason: 'typ' })
  })
})

describe('every member has one form', () => {
  const { x, y } = testKey('any').publicJwk
  test.each<[string, object]>([
    ['without a number', { ...payload, number: undefined }],
    ['number 0', { ...payload, number: 0 }],
    ['number 2^31', { ...payload, number: 2 ** 31 }],
    ['without prev', { ...payload, prev: undefined }],
    ['without keys', { ...payload, keys: [] }],
    [
      'with 101 keys',
      { ...payload, keys: Array.from({ length: 101 }, (_, index) => ({ ...payload.keys[0], kid: `${index}` })) },
    ],
    ['with another member', { ...payload, crit: [] }],
    ['with a third mode', { ...payload, mode: 'prod' }],
    ['with an unknown use', firstKey({ use: 'wrap' })],
    ['with a path as key id', firstKey({ kid: '../keys/1' })],
    ['with a key on another curve', firstKey({ jwk: { kty: 'EC', crv: 'P-384', x, y } })],
    ['with a symmetric key', firstKey({ jwk: { kty: 'oct', k: 'AAAA' } })],
    ['with a private key', firstKey({ jwk: { kty: 'EC', crv: 'P-256', x, y, d: x } })],
    ['with a short coordinate', firstKey({ jwk: { kty: 'EC', crv: 'P-256', x: x.slice(1), y } })],
    ['with a padded coordinate', firstKey({ jwk: { kty: 'EC', crv: 'P-256', x: `${x}=`, y } })],
    ['with a time as a text', firstKey({ nbf: '2026-11-01' })],
  ])('refuses one %s', (_, value) => {
    expect(refusalOf(value)).toEqual({ code: 'exchange/malformed', reason: 'keyset' })
  })

  test.each([
    ['off the curve', { kty: 'EC', crv: 'P-256', x: y, y: x }],
    ['at zero', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['beyond the field', { kty: 'EC', crv: 'P-256', x: `${'_'.repeat(42)}8`, y }],
  ])('refuses a point %s', (_, jwk) => {
    expect(refusalOf(firstKey({ jwk }))).toEqual({ code: 'exchange/malformed', reason: 'keyset-key' })
  })

  test('refuses two keys of one id', () => {
    const twice = { ...payload, keys: [...payload.keys, { ...payload.keys[0], use: 'decrypt' }] }
    expect(refusalOf(twice)).toEqual({ code: 'exchange/malformed', reason: 'keyset-kid-twice' })
  })
})

describe('a key may sign from its first to before its last second', () => {
  const keyring = kazakhstan.keyrings.live
  const kid = 'KZ-KGD.live.sign.1'
  test.each([
    ['2026-10-31T23:59:59.999Z', false],
    ['2026-11-01T00:00:00.000Z', true],
    ['2027-01-29T23:59:59.999Z', true],
    ['2027-01-30T00:00:00.000Z', false],
  ])('at %s: %s', (instant, found) => {
    expect(findVerificationKey(keyring, kid, new Date(instant)) !== undefined).toBe(found)
  })

  test('ends with its keyset when that ends first', () => {
    const until = Date.parse('2026-12-01T00:00:00.000Z') / 1000
    const opened = open({ ...payload, exp: until })
    const findAt = (instant: string) => opened.ok && findVerificationKey(opened.value, kid, new Date(instant))
    expect(findAt('2026-11-30T23:59:59.999Z')).toBeTypeOf('object')
    expect(findAt('2026-12-01T00:00:00.000Z')).toBeUndefined()
    expect(opened.ok && opened.value.decrypt[0]?.exp).toBe(until)
  })

  test('finds no key of another use, another id, or at no time', () => {
    const at = new Date('2026-11-22T03:00:00.000Z')
    expect(findVerificationKey(keyring, 'KZ-KGD.live.decrypt.1', at)).toBeUndefined()
    expect(findVerificationKey(keyring, 'constructor', at)).toBeUndefined()
    expect(findVerificationKey(keyring, kid, new Date(Number.NaN))).toBeUndefined()
  })
})

test('names a root by a fingerprint of sixteen groups of four hex digits', () => {
  expect(fingerprintOf(kazakhstan.root.publicKey)).toMatch(/^(?:[0-9a-f]{4} ){15}[0-9a-f]{4}$/)
  expect(fingerprintOf(kazakhstan.root.publicKey)).not.toBe(fingerprintOf(china.root.publicKey))
})

describe('a partner card', () => {
  const { card } = kazakhstan

  test('admits a card whose root signed both keysets', () => {
    const opened = openPartnerCard(card)
    expect(opened.ok && opened.value.fingerprint).toBe(kazakhstan.fingerprint)
    expect(opened.ok && opened.value.keyrings.test.mode).toBe('test')
    expect(opened.ok && opened.value.keyrings.live.mode).toBe('live')
  })

  test.each<[string, unknown, string]>([
    ['a card of another’s keysets', { ...card, keysets: china.card.keysets }, 'keyset-test'],
    ['a card with another’s root', { ...card, root: stranger.root.publicJwk }, 'keyset-test'],
    [
      'the test keyset in place of the live one',
      { ...card, keysets: { test: card.keysets.test, live: card.keysets.test } },
      'keyset-live',
    ],
    ['a card for another administration', { ...card, administration: 'CN-GACC' }, 'keyset-test'],
    ['a root off the curve', { ...card, root: { ...card.root, x: card.root.y, y: card.root.x } }, 'root'],
    ['a plain http address', { ...card, endpoint: 'http://kz.example' }, 'members'],
    ['an address with a newline', { ...card, endpoint: 'https://kz.example\r\nX: y' }, 'members'],
    ['a card without keysets', { ...card, keysets: undefined }, 'members'],
    ['a private root key', { ...card, root: { ...card.root, d: 'AAAA' } }, 'members'],
    ['null', null, 'members'],
    ['a list', [card], 'members'],
  ])('refuses %s', (_, value, reason) => {
    const opened = openPartnerCard(value as Parameters<typeof openPartnerCard>[0])
    expect(!opened.ok && opened.refusal).toEqual({ code: 'exchange/card-invalid', reason })
  })

  test('never throws on any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(openPartnerCard(value as Parameters<typeof openPartnerCard>[0]).ok).toBe(false)
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom('administration', 'endpoint', 'root', 'keysets'), fc.jsonValue(), (name, value) => {
        const changed = { ...card, [name]: value } as Parameters<typeof openPartnerCard>[0]
        expect(openPartnerCard(changed).ok).toBe(
          name === 'endpoint' && typeof value === 'string' && /^https:\/\/[^\s]{1,200}$/.test(value),
        )
      }),
    )
  })

  test('refuses a card with a flip of any single bit of a keyset', () => {
    const bytes = Buffer.from(card.keysets.live)
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(openKeyset(flipped.toString('latin1'), expected).ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })
})
