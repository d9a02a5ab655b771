import { describe, expect, test } from 'vitest'
import { outcomes } from './codes.ts'
import { decideResend, type ParkedMessage, placeInstead } from './decide-resend.ts'
import { digestPart } from './message.ts'

const now = new Date('2027-03-01T12:00:00.000Z')
const part = { name: 'body', salt: Buffer.alloc(16, 7), bytes: Buffer.from('{"declaration":"55410"}') }
const parked = (change: Partial<ParkedMessage> = {}): ParkedMessage => ({
  reason: 'TYPE_UNKNOWN',
  expiresAt: new Date('2027-06-01T00:00:00.000Z'),
  signed: [
    {
      name: 'body',
      mediaType: 'application/json',
      length: part.bytes.length,
      digest: digestPart(part.salt, part.bytes),
    },
  ],
  held: [part],
  ...change,
})

describe('a parked message', () => {
  test.each(['MALFORMED', 'TYPE_UNKNOWN', 'USE_NOT_ACCEPTED', 'PART_INVALID', 'WRONG_MODE'])(
    'goes again as it is after %s, once its cause is gone',
    (reason) => {
      expect(decideResend(parked({ reason }), now)).toEqual({ ok: true, value: { kind: 'again' } })
    },
  )

  test.each(['SIGNATURE_INVALID', 'ID_CONFLICT', 'EXPIRED', 'AGREEMENT_UNKNOWN', 'CONDITIONS_NOT_ACCEPTED'])(
    'is issued anew in its place after %s',
    (reason) => {
      expect(decideResend(parked({ reason }), now)).toEqual({ ok: true, value: { kind: 'reissue', place: 'same' } })
    },
  )

  test('is issued anew behind the others when the partner holds another message in its place', () => {
    expect(decideResend(parked({ reason: 'SEQUENCE_TAKEN' }), now)).toEqual({
      ok: true,
      value: { kind: 'reissue', place: 'next' },
    })
  })

  test('is issued anew from the instant at which it expires, and not a millisecond before', () => {
    expect(decideResend(parked({ expiresAt: new Date(now.getTime() + 1) }), now)).toMatchObject({
      value: { kind: 'again' },
    })
    expect(decideResend(parked({ expiresAt: now }), now)).toMatchObject({ value: { kind: 'reissue', place: 'same' } })
    expect(decideResend(parked({ expiresAt: new Date(now.getTime() - 1) }), now)).toMatchObject({
      value: { kind: 'reissue' },
    })
  })

  test('is not sent again when its bytes changed in the store, whatever the reason', () => {
    const rotted = { ...part, bytes: Buffer.from('{"declaration":"55411"}') }
    for (const { code: reason } of outcomes)
      expect(decideResend(parked({ reason, held: [rotted] }), now)).toEqual({
        ok: false,
        refusal: { code: 'exchange/part-damaged', part: 'body' },
      })
  })

  test('is not sent again when its salt changed or a part is gone', () => {
    expect(decideResend(parked({ held: [{ ...part, salt: Buffer.alloc(16) }] }), now).ok).toBe(false)
    expect(decideResend(parked({ held: [] }), now).ok).toBe(false)
  })

  test('without parts needs none', () => {
    expect(decideResend(parked({ signed: [], held: [] }), now)).toMatchObject({ value: { kind: 'again' } })
  })
})

describe('what comes instead of a parked message', () => {
  test('stands in its place, unless the partner holds another one there', () => {
    for (const { code } of outcomes) expect(placeInstead(code)).toBe(code === 'SEQUENCE_TAKEN' ? 'next' : 'same')
  })
})
