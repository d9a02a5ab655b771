import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  forgeJws,
  kazakhstan,
  messageDraft,
  mirrorSignature,
  payloadOf,
  testId,
  testMessage,
  testPart,
} from '../../tests/builders/exchange.ts'
import { digestPart, isInstant, readMessage } from './message.ts'
import { composeReceipt } from './receipt.ts'
import { sha256 } from './strict-jws.ts'

const signer = kazakhstan.signer('live')
const message = testMessage({ conversation: '11111111-2222-4333-8444-555555555555', ref: testId(9) })
const payload = payloadOf(message.compact)

function reasonOf(value: unknown): string | undefined {
  const read = readMessage(forgeJws({ payload: value }, signer))
  return read.ok ? undefined : read.refusal.reason
}
const without = (name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(payload).filter(([key]) => key !== name))
const part = { name: 'body', mediaType: 'application/json', length: 2, digest: sha256('x') }

test('admits what it composed, with every member as it was given', () => {
  const read = readMessage(message.compact)
  expect(read.ok && read.value.payload).toEqual(payload)
  expect(Object.keys(payload)).toEqual([
    ...['id', 'iss', 'aud', 'mode', 'agreement', 'type', 'version', 'subject', 'lane', 'seq', 'epoch'],
    ...['conversation', 'ref', 'issuedAt', 'expiresAt', 'use', 'parts'],
  ])
  expect(read.ok && read.value.jws.digest).toBe(message.digest)
})

test('composes the same bytes from the same draft', () => {
  expect(testMessage().digest).toBe(testMessage().digest)
  expect(testMessage({ seq: 2 }).digest).not.toBe(testMessage().digest)
})

test('signs no bytes of a part, only its name, kind, length and salted digest', () => {
  const body = testPart('{"goods":"drilling machine"}')
  const { parts } = payloadOf(testMessage({ parts: [body] }).compact)
  expect(parts).toEqual([
    { name: 'body', mediaType: 'application/json', length: 28, digest: sha256(Buffer.concat([body.salt, body.bytes])) },
  ])
})

test('gives equal bytes under another salt another digest', () => {
  const bytes = Buffer.from('{}')
  expect(digestPart(Buffer.alloc(16, 1), bytes)).not.toBe(digestPart(Buffer.alloc(16, 2), bytes))
})

describe('every member must be there', () => {
  test.each(Object.keys(payload).filter((name) => name !== 'conversation' && name !== 'ref'))(
    'refuses a message without %s',
    (name) => {
      expect(reasonOf(without(name))).toBe('members')
    },
  )

  test.each(['conversation', 'ref'])('admits a message without %s', (name) => {
    expect(reasonOf(without(name))).toBeUndefined()
  })

  test.each([
    ['declarationNumber', '55302/221126/0001234'],
    ['priority', 9],
    ['iat', 1],
    ['constructor', {}],
  ])('refuses a member of another name: %s', (name, value) => {
    expect(reasonOf({ ...payload, [name]: value })).toBe('members')
  })
})

describe('every member has one form', () => {
  test.each<[string, string, unknown]>([
    ['a UUID of version 4 as id', 'id', '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d'],
    ['an id in capitals', 'id', testId(10).toUpperCase()],
    ['an id in braces', 'id', `{${testId(1)}}`],
    ['a UUIDv7 of the wrong variant', 'id', testId(1).replace('-8000-', '-c000-')],
    ['a number as id', 'id', 1],
    ['an issuer in small letters', 'iss', 'kz-kgd'],
    ['an issuer that is a list', 'iss', ['KZ-KGD']],
    ['an audience that is null', 'aud', null],
    ['an audience that is only a country', 'aud', 'CN'],
    ['a third mode', 'mode', 'production'],
    ['a mode in capitals', 'mode', 'LIVE'],
    ['an agreement that is a text', 'agreement', 'STOP-2021'],
    ['an agreement without a version', 'agreement', { id: 'STOP-2021' }],
    ['an agreement with another member', 'agreement', { id: 'STOP-2021', conditions: '1.0', annex: 'A' }],
    ['a version of three numbers', 'agreement', { id: 'STOP-2021', conditions: '1.0.0' }],
    ['a type in small letters', 'type', 'exp-clr'],
    ['a type with markup', 'type', '<SCRIPT>'],
    ['an empty type', 'type', ''],
    ['version 0', 'version', 0],
    ['version 1000', 'version', 1000],
    ['a version that is a text', 'version', '1'],
    ['a subject that is no UUID', 'subject', '55302/221126/0001234'],
    ['a lane that is no UUID', 'lane', 'lane'],
    ['a lane in capitals', 'lane', '7C2F0C1E-6F0D-4C8E-9D55-0A4C3F1B2D02'],
    ['sequence 0', 'seq', 0],
    ['a negative sequence', 'seq', -1],
    ['a sequence that is a text', 'seq', '1'],
    ['epoch 0', 'epoch', 0],
    ['an epoch of 2^31', 'epoch', 2 ** 31],
    ['an empty conversation', 'conversation', ''],
    ['a ref that is no message id', 'ref', '5b1f0c1e-6f0d-4c8e-9d55-0a4c3f1b2d01'],
    ['an instant without milliseconds', 'issuedAt', '2026-11-22T03:00:00Z'],
    ['an instant with microseconds', 'issuedAt', '2026-11-22T03:00:00.000000Z'],
    ['an instant with an offset', 'issuedAt', '2026-11-22T08:00:00.000+05:00'],
    ['an instant with a small z', 'issuedAt', '2026-11-22T03:00:00.000z'],
    ['an instant with a newline', 'issuedAt', '2026-11-22T03:00:00.000Z\n'],
    ['a Unix time', 'expiresAt', 1795316400],
    ['a calendar date', 'expiresAt', '2026-11-22'],
    ['another purpose', 'use', { ...messageDraft().use, purpose: 'STATISTICS' }],
    ['leave to pass on', 'use', { ...messageDraft().use, onward: 'ANY' }],
    ['no classification', 'use', { ...messageDraft().use, classification: undefined }],
    ['a retention class with a blank', 'use', { ...messageDraft().use, retention: 'FIVE YEARS' }],
    ['personalData as a text', 'use', { ...messageDraft().use, personalData: 'true' }],
    ['parts that are an object', 'parts', { body: part }],
    ['nine parts', 'parts', Array.from({ length: 9 }, (_, index) => ({ ...part, name: `part-${index}` }))],
    ['a part name with a slash', 'parts', [{ ...part, name: '../body' }]],
    ['a part named __proto__', 'parts', [{ ...part, name: '__proto__' }]],
    ['a part name in capitals', 'parts', [{ ...part, name: 'Body' }]],
    ['a part without a digest', 'parts', [{ ...part, digest: undefined }]],
    ['a digest of 42 characters', 'parts', [{ ...part, digest: part.digest.slice(1) }]],
    ['a negative length', 'parts', [{ ...part, length: -1 }]],
    ['a length over 2 MiB', 'parts', [{ ...part, length: 2 * 1024 * 1024 + 1 }]],
    ['a media type with parameters', 'parts', [{ ...part, mediaType: 'application/json; charset=utf-8' }]],
    ['a part with its bytes', 'parts', [{ ...part, bytes: 'e30' }]],
  ])('refuses %s', (_, name, value) => {
    expect(reasonOf({ ...payload, [name]: value })).toBe('members')
  })

  test.each([
    ['30 February', '2026-02-30T03:00:00.000Z'],
    ['29 February of a common year', '2027-02-29T03:00:00.000Z'],
    ['the 13th month', '2026-13-01T03:00:00.000Z'],
    ['hour 24', '2026-11-22T24:00:00.000Z'],
    ['a leap second', '2026-12-31T23:59:60.000Z'],
    ['day 0', '2026-11-00T03:00:00.000Z'],
  ])('refuses %s, which does not exist', (_, instant) => {
    expect(reasonOf({ ...payload, issuedAt: instant })).toBe('instant')
    expect(reasonOf({ ...payload, expiresAt: instant })).toBe('instant')
    expect(isInstant(instant)).toBe(false)
  })

  test('admits 29 February of a leap year', () => {
    expect(reasonOf({ ...payload, expiresAt: '2028-02-29T03:00:00.000Z' })).toBeUndefined()
  })

  test('refuses two parts of one name', () => {
    expect(reasonOf({ ...payload, parts: [part, { ...part, length: 3 }] })).toBe('part-twice')
  })

  test('admits eight parts and none', () => {
    const parts = Array.from({ length: 8 }, (_, index) => ({ ...part, name: `part-${index}` }))
    expect(reasonOf({ ...payload, parts })).toBeUndefined()
    expect(reasonOf({ ...payload, parts: [] })).toBeUndefined()
  })

  test('admits the largest sequence a reader can hold, and refuses the next', () => {
    expect(reasonOf({ ...payload, seq: 2 ** 53 - 1 })).toBeUndefined()
    const over = JSON.stringify(payload).replace('"seq":1', '"seq":9007199254740992')
    const read = readMessage(forgeJws({ payload: over }, signer))
    expect(!read.ok && read.refusal.reason).toBe('payload')
  })
})

describe('a message is nothing else', () => {
  test('refuses a receipt where a message is expected', () => {
    const receipt = composeReceipt(messageDraft(), message.digest, '2026-11-22T03:00:00.000Z', signer)
    const read = readMessage(receipt)
    expect(!read.ok && read.refusal.reason).toBe('typ')
  })

  test('refuses a message whose payload is a receipt’s', () => {
    const receipt = composeReceipt(messageDraft(), message.digest, '2026-11-22T03:00:00.000Z', signer)
    expect(reasonOf(payloadOf(receipt))).toBe('members')
  })

  test('reads the mirrored signature as the same message', () => {
    const read = readMessage(mirrorSignature(message.compact))
    expect(read.ok && read.value.jws.digest).toBe(message.digest)
  })
})

describe('for any input', () => {
  test('never throws and admits no random JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(readMessage(forgeJws({ payload: value }, signer)).ok).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('never throws on a message with any member replaced', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(payload)), fc.jsonValue(), (name, value) => {
        expect(typeof readMessage(forgeJws({ payload: { ...payload, [name]: value } }, signer)).ok).toBe('boolean')
      }),
      { numRuns: 300 },
    )
  })

  test('never throws on text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(readMessage(text).ok).toBe(false)
      }),
    )
  })
})
