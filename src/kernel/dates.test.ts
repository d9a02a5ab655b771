import { describe, expect, it } from 'vitest'
import { addToDate, compareDates, dateIn, isPlainDate, parseInstant, parseLocalDateTime } from './dates.ts'

describe('legal dates', () => {
  it('knows days that exist from days that do not', () => {
    expect(isPlainDate('2024-02-29')).toBe(true)
    for (const text of ['2026-02-29', '2026-02-30', '2026-13-01', '2026-1-1', '20260101', '2026-01-01T00:00Z', ''])
      expect([text, isPlainDate(text)]).toEqual([text, false])
  })

  it('moves by calendar months to the last day where the day is missing', () => {
    expect(addToDate('2026-08-31', { months: 6 })).toBe('2027-02-28')
    expect(addToDate('2024-02-29', { years: 3 })).toBe('2027-02-28')
    expect(addToDate('2027-02-04', { months: -6 })).toBe('2026-08-04')
    expect(addToDate('2027-02-04', { days: -1 })).toBe('2027-02-03')
  })

  it('orders days', () => {
    expect(compareDates('2026-08-03', '2026-08-04')).toBeLessThan(0)
    expect(compareDates('2026-08-04', '2026-08-04')).toBe(0)
    expect(compareDates('2027-01-01', '2026-12-31')).toBeGreaterThan(0)
  })

  it('finds the day of an instant in a zone that changed its offset', () => {
    // At midnight of 1 March the clocks of Almaty went back to 23:00.
    expect(dateIn('Asia/Almaty', '2024-02-29T18:30:00Z')).toBe('2024-02-29')
    expect(dateIn('Asia/Almaty', '2024-02-29T19:00:00Z')).toBe('2024-03-01')
    expect(dateIn('Asia/Almaty', '2024-02-28T18:00:00Z')).toBe('2024-02-29')
  })
})

describe('instants', () => {
  it('reads instants with an offset as UTC with milliseconds', () => {
    expect(parseInstant('2026-11-22T09:00:00+06:00')).toBe('2026-11-22T03:00:00.000Z')
    expect(parseInstant('2026-11-22T03:00:00.1239Z')).toBe('2026-11-22T03:00:00.123Z')
  })

  it('refuses what names no instant', () => {
    for (const text of ['2026-11-22', '2026-11-22T03:00:00', '2026-02-30T00:00:00Z', 'yesterday', ''])
      expect([text, parseInstant(text)]).toEqual([text, undefined])
  })

  it('reads a local time in its zone, before and after Almaty left +06', () => {
    expect(parseLocalDateTime('2024-02-29T12:00:00', 'Asia/Almaty')).toBe('2024-02-29T06:00:00.000Z')
    expect(parseLocalDateTime('2024-03-01T12:00:00', 'Asia/Almaty')).toBe('2024-03-01T07:00:00.000Z')
    expect(parseLocalDateTime('2024-02-30T12:00:00', 'Asia/Almaty')).toBeUndefined()
  })
})
