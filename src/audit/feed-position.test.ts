import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { feedStart, isAfter, parseFeedPosition, writeFeedPosition } from './feed-position.ts'

describe('feed positions', () => {
  test('read back as written', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(999_999), (position, index) => {
        const place = { position, index }
        expect(parseFeedPosition(writeFeedPosition(place))).toEqual({ ok: true, value: place })
      }),
    )
  })

  test.each([
    '',
    '1',
    '1.',
    '.1',
    '01.0',
    '1.00',
    '-1.0',
    '1.0 ',
    '1.0\n',
    '1e3.0',
    '9999999999999999.0',
    '1.0.0',
    'x.y',
  ])('refuses %j', (text) => {
    expect(parseFeedPosition(text)).toEqual({ ok: false, refusal: { code: 'audit/position-invalid' } })
  })

  test('never throws on any text, and what it admits it writes the same', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const decision = parseFeedPosition(text)
        expect(decision.ok ? writeFeedPosition(decision.value) : text).toBe(text)
      }),
    )
  })

  test('order by entry, then by event', () => {
    expect(isAfter({ position: 2, index: 0 }, { position: 1, index: 9 })).toBe(true)
    expect(isAfter({ position: 1, index: 1 }, { position: 1, index: 0 })).toBe(true)
    expect(isAfter({ position: 1, index: 0 }, { position: 1, index: 0 })).toBe(false)
    expect(isAfter({ position: 1, index: 0 }, feedStart)).toBe(true)
  })
})
