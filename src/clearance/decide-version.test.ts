import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aHomeDeclaration } from '../../tests/builders/clearance.ts'
import { contentDigest, decideShown, decideVersion, type ReceivedVersion } from './decide-version.ts'

const known = { version: 2, contentDigest: 'a' }

describe('a version that comes in', () => {
  test('is the first when nothing was known', () =>
    expect(decideVersion(undefined, { version: 7, contentDigest: 'a' })).toEqual({ ok: true, value: 'first' }))
  test('changes nothing when it is the same again', () =>
    expect(decideVersion(known, known)).toEqual({ ok: true, value: 'unchanged' }))
  test('is refused when other content comes under the same number', () =>
    expect(decideVersion(known, { version: 2, contentDigest: 'b' })).toEqual({
      ok: false,
      refusal: { code: 'clearance/version-conflict', version: 2 },
    }))
  test('amends with a higher number, one more or many', () => {
    for (const version of [3, 9])
      expect(decideVersion(known, { version, contentDigest: 'a' })).toEqual({ ok: true, value: 'amendment' })
  })
  test('is superseded with a lower number', () =>
    expect(decideVersion(known, { version: 1, contentDigest: 'b' })).toEqual({ ok: true, value: 'superseded' }))
})

describe('the digest of content', () => {
  test('is the same for another order of members and another spelling of a number', () => {
    const home = aHomeDeclaration()
    const turned = Object.fromEntries(
      Object.entries(aHomeDeclaration({ declaration: { totalGrossMass: '021200.00' } })).reverse(),
    )
    expect(contentDigest(turned)).toBe(contentDigest(home))
  })
  test('differs for another container, another order of items and another identifier of digits', () => {
    const home = aHomeDeclaration()
    const digests = [
      home,
      aHomeDeclaration({ items: [...home.items].reverse() }),
      aHomeDeclaration({ equipment: [{ id: 'XDKU1000023' }] }),
      aHomeDeclaration({ declaration: { id: '0941120260112345678' } }),
    ].map(contentDigest)
    expect(new Set(digests).size).toBe(4)
  })
})

describe('what is shown', () => {
  const of = (version: number, type: ReceivedVersion['type']): ReceivedVersion => ({ version, type })
  test('is a newer version at once, with a gap while the first is missing', () => {
    expect(decideShown([of(2, 'AMD')])).toEqual({ shown: of(2, 'AMD'), state: 'current', gap: true })
    expect(decideShown([of(2, 'AMD'), of(1, 'EXP-CLR')])).toEqual({ shown: of(2, 'AMD'), state: 'current', gap: false })
  })
  test('is a cancellation, also of the very version shown, and an older amendment does not bring it back', () => {
    const cancelled = { shown: of(3, 'CNL'), state: 'cancelled', gap: false }
    expect(decideShown([of(3, 'TRN-CLR'), of(3, 'CNL')])).toEqual(cancelled)
    expect(decideShown([of(3, 'TRN-CLR'), of(3, 'CNL'), of(2, 'AMD')])).toEqual(cancelled)
  })
  test('is current again when a newer version follows a cancellation', () =>
    expect(decideShown([of(1, 'EXP-CLR'), of(2, 'CNL'), of(3, 'AMD')])).toMatchObject({
      state: 'current',
      shown: of(3, 'AMD'),
    }))
  test('does not depend on the order of arrival', () => {
    const versions = fc.uniqueArray(
      fc.tuple(fc.integer({ min: 1, max: 6 }), fc.constantFrom<ReceivedVersion['type']>('EXP-CLR', 'AMD', 'CNL')),
      {
        minLength: 1,
        selector: ([version, type]) => `${version}${type === 'CNL'}`,
      },
    )
    fc.assert(
      fc.property(
        versions.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const shownOf = (list: typeof all) => {
            const [first = of(1, 'AMD'), ...rest] = list.map(([version, type]) => of(version, type))
            return decideShown([first, ...rest])
          }
          expect(shownOf(shuffled)).toEqual(shownOf(all))
        },
      ),
    )
  })
})
