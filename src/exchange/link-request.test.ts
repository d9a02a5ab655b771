import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  china,
  forgeJws,
  kazakhstan,
  mirrorSignature,
  stranger,
  testMessage,
  testNow,
} from '../../tests/builders/exchange.ts'
import {
  type AnswerPayload,
  composeAnswer,
  composeRequest,
  openAnswer,
  openRequest,
  type RequestPayload,
  requestWindowSeconds,
} from './link-request.ts'
import { sha256 } from './strict-jws.ts'

const frame = 'the.compact.form.of.aframe'
const nowSeconds = testNow.getTime() / 1000
const payload: RequestPayload = {
  iss: 'KZ-KGD',
  aud: 'CN-GACC',
  mode: 'live',
  iat: nowSeconds,
  jti: '0123456789abcdef',
  operation: 'frames',
  contentDigest: sha256(frame),
}
const signer = kazakhstan.signer('live')
const expected = {
  me: 'CN-GACC',
  partner: 'KZ-KGD',
  contentDigest: sha256(frame),
  now: testNow,
  keyring: (mode: 'test' | 'live') => kazakhstan.keyrings[mode],
}
const refusalOf = (compact: string, context = expected): string | undefined => {
  const opened = openRequest(compact, context)
  return opened.ok ? undefined : `${opened.refusal.code} ${opened.refusal.reason}`
}
const signed = (changes: object): string => forgeJws({ payload: { ...payload, ...changes } }, signer, 'dx1-request')

describe('a request', () => {
  const request = composeRequest(payload, signer)

  test('admits what the partner signed for us, now, for this frame', () => {
    const opened = openRequest(request.compact, expected)
    expect(opened.ok && opened.value).toEqual({ payload, digest: request.digest })
  })

  test('admits the mirrored signature, with the same digest and the same jti', () => {
    const opened = openRequest(mirrorSignature(request.compact), expected)
    expect(opened.ok && opened.value.digest).toBe(request.digest)
  })

  test.each<[string, object, string]>([
    ['of another issuer', { iss: 'GE-RS' }, 'issuer'],
    ['of our own', { iss: 'CN-GACC', aud: 'KZ-KGD' }, 'issuer'],
    ['for another audience', { aud: 'GE-RS' }, 'audience'],
    ['for another frame', { contentDigest: sha256('another frame') }, 'content-digest'],
    ['in the mode of another key', { mode: 'test' }, 'signature'],
    ['of a third mode', { mode: 'prod' }, 'members'],
    ['for another operation', { operation: 'keysets' }, 'members'],
    ['with a short jti', { jti: '0123456789abcde' }, 'members'],
    ['with a jti of 65 characters', { jti: 'a'.repeat(65) }, 'members'],
    ['with SQL as jti', { jti: "';drop table x;--" }, 'members'],
    ['with a time as a text', { iat: '2026-11-22T03:00:00Z' }, 'members'],
    ['without a time', { iat: undefined }, 'members'],
    ['with another member', { callback: 'https://x.example' }, 'members'],
    ['from before its key', { iat: 0 }, 'signature'],
    ['of the far future', { iat: 2 ** 53 - 1 }, 'signature'],
  ])('refuses one %s', (_, changes, reason) => {
    expect(refusalOf(signed(changes))).toBe(`exchange/request-invalid ${reason}`)
  })

  test('refuses a frame that was exchanged for another', () => {
    expect(refusalOf(request.compact, { ...expected, contentDigest: sha256('swapped') })).toBe(
      'exchange/request-invalid content-digest',
    )
  })

  test('refuses one that another administration signed', () => {
    expect(refusalOf(composeRequest(payload, stranger.signer('live')).compact)).toBe(
      'exchange/request-invalid signature',
    )
    const claimed = { ...stranger.signer('live'), kid: signer.kid }
    expect(refusalOf(composeRequest(payload, claimed).compact)).toBe('exchange/request-invalid signature')
  })

  test('refuses one when the partner has no keyset in that mode', () => {
    expect(refusalOf(request.compact, { ...expected, keyring: () => undefined as never })).toBe(
      'exchange/request-invalid signature',
    )
  })

  test('refuses a message and an answer in its place', () => {
    expect(refusalOf(testMessage().compact)).toBe('exchange/request-invalid malformed')
    expect(refusalOf(composeAnswer(answerPayload, signer))).toBe('exchange/request-invalid malformed')
  })

  test.each([
    [-requestWindowSeconds - 1, 'exchange/request-stale clock'],
    [-requestWindowSeconds, undefined],
    [0, undefined],
    [requestWindowSeconds, undefined],
    [requestWindowSeconds + 1, 'exchange/request-stale clock'],
  ])('signed %i s from our clock: %s', (offset, refusal) => {
    expect(refusalOf(signed({ iat: nowSeconds + offset }))).toBe(refusal)
  })

  test('gives a refusal the digest it can quote, and none for what could not be read', () => {
    const stale = openRequest(signed({ iat: nowSeconds - 61 }), expected)
    expect(!stale.ok && stale.refusal.about?.mode).toBe('live')
    expect(!stale.ok && stale.refusal.about?.requestDigest).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const garbled = openRequest('a.b.c', expected)
    expect(!garbled.ok && garbled.refusal).toEqual({ code: 'exchange/request-invalid', reason: 'malformed' })
  })

  test('never throws on any text or payload', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(openRequest(text, expected).ok).toBe(false)
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(payload)), fc.jsonValue(), (name, value) => {
        const opened = openRequest(signed({ [name]: value }), expected)
        expect(opened.ok).toBe(opened.ok && name === 'jti')
      }),
    )
  })
})

const answerPayload: AnswerPayload = {
  iss: 'CN-GACC',
  aud: 'KZ-KGD',
  mode: 'live',
  iat: nowSeconds,
  requestDigest: sha256('a request'),
  outcome: 'OK',
  results: [{ index: 0, outcome: 'NOT_YET', id: testMessage().draft.id, digest: testMessage().digest }],
}

describe('an answer', () => {
  const ours = { me: 'KZ-KGD', keyring: china.keyrings.live, requestDigest: answerPayload.requestDigest }
  const answer = composeAnswer(answerPayload, china.signer('live'))
  const forged = (changes: object): string =>
    forgeJws({ payload: { ...answerPayload, ...changes } }, china.signer('live'), 'dx1-answer')

  test('admits what the partner signed for our request', () => {
    expect(openAnswer(answer, ours)).toEqual(answerPayload)
    expect(openAnswer(forged({ retryAfterSeconds: 30 }), ours)?.retryAfterSeconds).toBe(30)
  })

  test('admits an outcome that this version does not know', () => {
    expect(openAnswer(forged({ outcome: 'RATE_LIMITED', results: [] }), ours)?.outcome).toBe('RATE_LIMITED')
  })

  test.each<[string, object]>([
    ['to another request', { requestDigest: sha256('another request') }],
    ['to no request', { requestDigest: '' }],
    ['of another administration', { iss: 'GE-RS' }],
    ['of our own', { iss: 'KZ-KGD', aud: 'CN-GACC' }],
    ['for another', { aud: 'GE-RS' }],
    ['in another mode', { mode: 'test' }],
    ['from before its key', { iat: 0 }],
    ['with an outcome in prose', { outcome: 'Bad Gateway' }],
    ['with markup as outcome', { outcome: '<b>OK</b>' }],
    ['that asks for a wait of a week', { retryAfterSeconds: 604_800 }],
    ['that asks for a negative wait', { retryAfterSeconds: -1 }],
    ['without results', { results: undefined }],
    ['with 501 results', { results: Array.from({ length: 501 }, () => ({ index: 0, outcome: 'BUSY' })) }],
    ['with a result at place 500', { results: [{ index: 500, outcome: 'BUSY' }] }],
    ['with another member', { next: 'https://x.example' }],
  ])('refuses one %s', (_, changes) => {
    expect(openAnswer(forged(changes), ours)).toBeUndefined()
  })

  test('refuses one signed by anyone else', () => {
    expect(openAnswer(composeAnswer(answerPayload, stranger.signer('live')), ours)).toBeUndefined()
    expect(openAnswer(composeAnswer(answerPayload, kazakhstan.signer('live')), ours)).toBeUndefined()
    expect(openAnswer(composeAnswer(answerPayload, china.signer('test')), ours)).toBeUndefined()
  })

  test.each([
    '<html><h1>502 Bad Gateway</h1></html>',
    '',
    '{}',
    `${answer} `,
    answer.slice(0, -10),
    testMessage().compact,
  ])('refuses %j', (text) => {
    expect(openAnswer(text, ours)).toBeUndefined()
  })

  test('never throws on any text or payload, and refuses a flip of any single bit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(openAnswer(text, ours)).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(openAnswer(forged({ results: value }), ours)?.results ?? []).toEqual([])
      }),
    )
    const bytes = Buffer.from(answer)
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const flipped = Buffer.from(bytes)
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(openAnswer(flipped.toString('latin1'), ours)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})
