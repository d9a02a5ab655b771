import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDecimals, compareDecimals, parseDecimal, subtractDecimals, withinPercent } from './decimals.ts'

describe('decimals', () => {
  it('writes each number in one way', () => {
    expect(['007.50', '-0', '0.000', '1000', '12.340000'].map(parseDecimal)).toEqual(['7.5', '0', '0', '1000', '12.34'])
  })

  it('refuses what is not a plain decimal', () => {
    for (const text of ['', '1e3', '1,5', '.5', '5.', '+1', 'NaN', '0x10', ' 1', '1'.repeat(21), `0.${'1'.repeat(13)}`])
      expect([text, parseDecimal(text)]).toEqual([text, undefined])
  })

  it('adds cents that doubles lose', () => {
    expect(addDecimals(['0.1', '0.2'])).toBe('0.3')
    expect(addDecimals(Array.from({ length: 1000 }, () => '0.01'))).toBe('10')
    expect(addDecimals([])).toBe('0')
  })

  it('gives back what was added', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 16n }), fc.integer({ min: 0, max: 999_999 }))
      .map(([whole, part]) => `${whole}.${String(part).padStart(6, '0')}`)
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        expect(compareDecimals(subtractDecimals(addDecimals([a, b]), b), a)).toBe(0)
      }),
    )
  })

  it('knows a tolerance in per cent of the larger to its last digit', () => {
    expect(withinPercent('1000', '995', '0.5')).toBe(true)
    expect(withinPercent('1000', '994.999999', '0.5')).toBe(false)
    expect(withinPercent('0', '0', '0.5')).toBe(true)
    expect(withinPercent('0', '0.000001', '0.5')).toBe(false)
  })
})
