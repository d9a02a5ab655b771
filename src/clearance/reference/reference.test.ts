import { describe, expect, test } from 'vitest'
import { checkEsrStation } from '../identifiers.ts'
import { readReference } from './read-reference.ts'
import { crossingsOn, loadReference, type Reference, referenceLists } from './reference.ts'

const reference = await readReference()

describe('the published code lists', () => {
  test('hold the subheadings of the Harmonized System and nothing that is none', () => {
    expect(reference.hs6.size).toBe(5612)
    expect([...reference.hs6].every((code) => /^\d{6}$/.test(code))).toBe(true)
    expect(reference.hs6.has('850760')).toBe(true)
    expect(reference.hs6.has('999999')).toBe(false)
  })
  test('cover with the EAEU nomenclature every subheading, those that end in 00 too', () => {
    const covered = new Set([...reference.tnved10].map((code) => code.slice(0, 6)))
    expect([...reference.hs6].filter((hs6) => !covered.has(hs6))).toEqual([])
    expect([...covered].filter((hs6) => !reference.hs6.has(hs6))).toEqual([])
    for (const hs6 of ['260300', '110100', '120400']) expect(covered.has(hs6), hs6).toBe(true)
  })
  test('know the packages, countries and currencies of the corridor', () => {
    for (const code of ['CT', 'PX', 'VR', 'NE', 'VY']) expect(reference.packageTypes.has(code), code).toBe(true)
    for (const code of ['KZ', 'CN', 'UZ', 'KG', 'DE']) expect(reference.countries.has(code), code).toBe(true)
    for (const code of ['KZT', 'CNY', 'USD', 'EUR', 'RUB']) expect(reference.currencies.has(code), code).toBe(true)
    expect(reference.currencies.has('SUR')).toBe(false)
  })
  test('expect UN numbers only of known subheadings', () => {
    for (const hs6 of reference.dangerousGoods.keys()) expect(reference.hs6.has(hs6), hs6).toBe(true)
  })
  test('hold only station codes whose check digit holds', () => {
    for (const code of reference.railCrossings.flatMap(({ esr }) => esr)) expect(checkEsrStation(code), code).toBe('ok')
  })
})

describe('loading', () => {
  const lists = (changed: Record<string, unknown>) =>
    Object.fromEntries(referenceLists.map((list) => [list, changed[list] ?? {}])) as Record<
      (typeof referenceLists)[number],
      unknown
    >
  test('stops at a list that is away, of another form or under another name', () => {
    const head = { title: '', edition: '', asOf: '2026-11-22', source: '', licence: '' }
    for (const file of [
      undefined,
      null,
      [],
      { list: 'hs-2022', codes: ['1'] },
      { list: 'countries', ...head, codes: [] },
    ])
      expect(() => loadReference(lists({ 'hs-2022': file }))).toThrow(
        expect.objectContaining({ code: 'clearance/code-list-unreadable' }),
      )
  })
  test('stops when the folder is away', async () => {
    await expect(readReference(new URL('file:///nowhere/'))).rejects.toMatchObject({
      code: 'clearance/code-list-unreadable',
    })
  })
})

describe('crossings', () => {
  test('are open from their first day to their last', () => {
    const [crossing] = reference.railCrossings
    const dated = {
      ...reference,
      railCrossings: [{ ...crossing, from: '2026-01-01', until: '2026-12-31' }],
    } as Reference
    const days = ['2025-12-31', '2026-01-01', '2026-12-31', '2027-01-01']
    expect(days.map((day) => crossingsOn(dated, day).length)).toEqual([0, 1, 1, 0])
  })
})
