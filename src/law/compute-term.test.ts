import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { addToDate, compareDates } from '../kernel/index.ts'
import { computeTerm, isBinding, type Term, type TermFacts } from './compute-term.ts'
import { Law } from './law.ts'
import type { Instrument } from './treaty-files.ts'

const stop = law.instrument('STOP-2021')
const term = (on: string, facts: TermFacts = {}) => computeTerm(law, stop, on, facts)
const codes = ({ warnings }: Term) => warnings.map(({ code }) => code)
const inForceBy = ({ readings }: Term) => readings.filter(({ inForce }) => inForce).map(({ id }) => id)
const notice = (notifiedOn: string) => ({ side: 'CN', notifiedOn, reference: 'Note 17' })

/** The Protocol as if it had been signed on another day. */
function signedOn(day: string): { law: Law; instrument: Instrument } {
  const instrument = { ...stop, entry: { ...stop.entry, inForceOn: day } }
  const clauses = law.clauses.map((each) =>
    each.versions ? { ...each, versions: each.versions.map((version) => ({ ...version, from: '1990-01-01' })) } : each,
  )
  return { law: new Law([instrument], clauses, law.openQuestions), instrument }
}

describe('the term of the Protocol', () => {
  clause(
    ['STOP-2021/9.1', 'STOP-2021/F.1'],
    'is in force from the operative day of signature, and not the day before',
    () => {
      expect(term('2021-02-03').standing).toBe('not-yet')
      expect(term('2021-02-04').standing).toBe('in-force')
      expect(term('2011-02-04').standing).toBe('not-yet')
      expect(law.value('STOP-2021/F.1', 'signedOn', '2026-11-22')?.value).toBe(stop.entry.inForceOn)
      expect(stop.signed.variants.map(({ language, on }) => [language, on])).toEqual([
        ['ru', '2021-02-04'],
        ['kk', '2011-02-04'],
        ['zh', '2011-02-04'],
      ])
    },
  )

  clause('STOP-2021/9.2-r1', 'ends the first period with 4 February 2024, that day included', () => {
    expect(term('2024-02-03').period?.number).toBe(1)
    expect(term('2024-02-04').period).toMatchObject({ number: 1, startsOn: '2021-02-04', endsOn: '2024-02-04' })
    expect(term('2024-02-05').period).toMatchObject({ number: 2, startsOn: '2024-02-05', endsOn: '2027-02-04' })
  })

  clause('STOP-2021/9.2-r2', 'renews for three years where every text says so', () => {
    for (const on of ['2024-02-03', '2024-02-04', '2024-02-05', '2027-02-03', '2027-02-04']) {
      expect(term(on).standing).toBe('in-force')
      expect(inForceBy(term(on))).toEqual(['ru-repeat', 'kk-next-period', 'zh-single'])
    }
  })

  clause(
    ['STOP-2021/9.2-r2', 'STOP-2021/F.2'],
    'is uncertain after 4 February 2027 while no reading is recorded',
    () => {
      const after = term('2027-02-05')
      expect(after.standing).toBe('uncertain')
      expect(inForceBy(after)).toEqual(['ru-repeat'])
      expect(after.operativeReading).toBeUndefined()
      expect(after.warnings).toEqual([
        { code: 'law/term-runs-uncertain', clause: 'STOP-2021/9.2-r2', endedOn: '2027-02-04' },
      ])
    },
  )

  clause(['STOP-2021/9.2-r2', 'STOP-2021/F.2'], 'follows the recorded reading, whichever it is', () => {
    expect(term('2027-02-05', { recordedReading: 'ru-repeat' })).toMatchObject({
      standing: 'in-force',
      operativeReading: 'ru-repeat',
      warnings: [],
    })
    for (const recordedReading of ['kk-next-period', 'zh-single']) {
      expect(term('2027-02-04', { recordedReading })).toMatchObject({ standing: 'in-force', endsOn: '2027-02-04' })
      expect(term('2027-02-05', { recordedReading })).toMatchObject({ standing: 'ended', endsOn: '2027-02-04' })
    }
  })

  clause('STOP-2021/9.2-r2', 'says from the last day of notice that the readings part', () => {
    expect(codes(term('2026-08-03'))).toEqual([])
    expect(term('2026-08-04').warnings).toEqual([
      { code: 'law/term-readings-part', clause: 'STOP-2021/9.2-r2', endsOn: '2027-02-04' },
    ])
    expect(codes(term('2026-08-05', { recordedReading: 'zh-single' }))).toEqual([])
  })

  test('treats a reading that the instrument does not have as none', () => {
    expect(term('2027-02-05', { recordedReading: 'fr-once' }).standing).toBe('uncertain')
  })

  clause('STOP-2021/9.2-r3', 'gives 4 August 2026 as the last day of notice, and asks ours a day earlier', () => {
    expect(term('2026-08-04').period).toMatchObject({ noticeUntil: '2026-08-04', ownNoticeBy: '2026-08-03' })
  })

  clause('STOP-2021/9.2-r3', 'takes notice the day before and on the last day as timely', () => {
    for (const day of ['2026-08-03', '2026-08-04']) {
      const given = term('2026-11-22', { recordedReading: 'ru-repeat', notices: [notice(day)] })
      expect(given.endsOn).toBe('2027-02-04')
      expect(given.warnings).toEqual([
        { code: 'law/notice-given', clause: 'STOP-2021/9.2-r3', side: 'CN', endsOn: '2027-02-04' },
      ])
      const facts = { recordedReading: 'ru-repeat', notices: [notice(day)] }
      expect(term('2027-02-04', facts).standing).toBe('in-force')
      expect(term('2027-02-05', facts).standing).toBe('ended')
    }
  })

  clause('STOP-2021/9.2-r3', 'takes notice the day after as late: it ends the next period', () => {
    const facts = { recordedReading: 'ru-repeat', notices: [notice('2026-08-05')] }
    expect(term('2026-11-22', facts).warnings).toEqual([
      { code: 'law/notice-late', clause: 'STOP-2021/9.2-r3', side: 'CN', endsOn: '2030-02-04' },
    ])
    expect(term('2027-02-05', facts).standing).toBe('in-force')
    expect(term('2030-02-05', facts).standing).toBe('ended')
  })

  test('is certain again when a timely notice ends it by every reading', () => {
    const after = term('2027-02-05', { notices: [notice('2026-08-04')] })
    expect(after).toMatchObject({ standing: 'ended', endsOn: '2027-02-04', warnings: [] })
    expect(term('2027-02-04', { notices: [notice('2026-08-04')] }).standing).toBe('in-force')
  })

  test('knows nothing of a notice before it was given', () => {
    expect(codes(term('2026-07-01', { notices: [notice('2026-08-01')] }))).toEqual([])
  })

  test('lets the earlier of two notices, and an official last day, decide', () => {
    const both = { recordedReading: 'ru-repeat', notices: [notice('2026-08-05'), notice('2026-08-01')] }
    expect(term('2026-11-22', both).endsOn).toBe('2027-02-04')
    const official = { recordedReading: 'ru-repeat', notices: [{ ...notice('2026-08-01'), effectiveOn: '2027-01-31' }] }
    expect(term('2027-01-31', official).standing).toBe('in-force')
    expect(term('2027-02-01', official)).toMatchObject({ standing: 'ended', endsOn: '2027-01-31' })
  })

  clause('STOP-2021/6.1-r1', 'leaves the duties of confidence in force when it has ended, and no others', () => {
    const ended = term('2027-02-05', { recordedReading: 'zh-single' })
    expect(isBinding(law, 'STOP-2021/6.1-r1', ended)).toBe(true)
    expect(isBinding(law, 'STOP-2021/6.3-r3', ended)).toBe(true)
    expect(isBinding(law, 'STOP-2021/2.1-r1', ended)).toBe(false)
    expect(isBinding(law, 'STOP-2021/2.1-r1', term('2026-11-22'))).toBe(true)
    expect(isBinding(law, 'STOP-2021/6.1-r1', term('2021-02-03'))).toBe(false)
  })
})

describe('periods', () => {
  clause('STOP-2021/9.2-r1', 'bring 29 February back in a leap year and end on 28 February in others', () => {
    const leap = signedOn('2024-02-29')
    const ends = computeTerm(leap.law, leap.instrument, '2036-01-01').periods.map(({ endsOn }) => endsOn)
    expect(ends).toEqual(['2027-02-28', '2030-02-28', '2033-02-28', '2036-02-29', '2039-02-28'])
  })

  clause('STOP-2021/9.2-r3', 'take the last day of a month that lacks the day as last day of notice', () => {
    const { law: other, instrument } = signedOn('2021-08-31')
    const { periods } = computeTerm(other, instrument, '2022-01-01')
    expect(periods[0]).toMatchObject({ endsOn: '2024-08-31', noticeUntil: '2024-02-29', ownNoticeBy: '2024-02-28' })
    expect(periods[1]).toMatchObject({ endsOn: '2027-08-31', noticeUntil: '2027-02-28' })
  })

  test('follow each other without gap or overlap, notice always before the end, on any start and day', () => {
    const day = fc.integer({ min: 0, max: 20_000 }).map((days) => addToDate('2000-01-01', { days }))
    fc.assert(
      fc.property(day, fc.integer({ min: 0, max: 20_000 }), (start, days) => {
        const other = signedOn(start)
        const on = addToDate(start, { days })
        const { periods, period } = computeTerm(other.law, other.instrument, on)
        expect(period && compareDates(period.startsOn, on) <= 0 && compareDates(on, period.endsOn) <= 0).toBe(true)
        periods.forEach(({ startsOn, endsOn, noticeUntil, ownNoticeBy }, index) => {
          expect(compareDates(noticeUntil, endsOn)).toBeLessThan(0)
          expect(compareDates(ownNoticeBy, noticeUntil)).toBeLessThan(0)
          const before = periods[index - 1]
          if (before) expect(startsOn).toBe(addToDate(before.endsOn, { days: 1 }))
        })
      }),
      { numRuns: 100 },
    )
  })
})

describe('other models of term', () => {
  const indefinite: Instrument = {
    ...law.instrument('US-KZ-1997'),
    entry: { ...law.instrument('US-KZ-1997').entry, inForceOn: '1998-01-01' },
  }
  const usNotice = { side: 'US', notifiedOn: '2026-08-31', reference: 'Note 3' }

  test('end an indefinite agreement six months after notice, the last day included', () => {
    expect(computeTerm(law, indefinite, '2026-11-22')).toMatchObject({ standing: 'in-force', warnings: [] })
    const facts = { notices: [usNotice] }
    expect(computeTerm(law, indefinite, '2027-02-28', facts)).toMatchObject({
      standing: 'in-force',
      endsOn: '2027-02-28',
    })
    expect(computeTerm(law, indefinite, '2027-03-01', facts).standing).toBe('ended')
  })

  test('say draft of a draft, undated where nobody knows the first day, and never end the perpetual', () => {
    expect(computeTerm(law, law.instrument('KZ-GE-2014'), '2026-11-22').standing).toBe('draft')
    expect(computeTerm(law, law.instrument('CN-KZ-1997'), '2026-11-22').standing).toBe('undated')
    expect(computeTerm(law, law.instrument('TFA'), '2017-02-21').standing).toBe('not-yet')
    expect(computeTerm(law, law.instrument('TFA'), '2099-01-01').standing).toBe('in-force')
  })

  test('end an undated agreement on an official last day only', () => {
    const facts = {
      notices: [{ side: 'CN', notifiedOn: '2026-01-10', reference: 'Note 9', effectiveOn: '2026-12-31' }],
    }
    expect(computeTerm(law, law.instrument('CN-KZ-1997'), '2026-12-31', facts).standing).toBe('undated')
    expect(computeTerm(law, law.instrument('CN-KZ-1997'), '2027-01-01', facts).standing).toBe('ended')
  })
})
