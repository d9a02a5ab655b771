import { describe, expect, test } from 'vitest'
import { law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { Law } from './law.ts'

describe('the law', () => {
  test('holds every clause of the registers', () => {
    const counts = new Map<string, number>()
    for (const { id } of law.clauses) counts.set(id.split('/')[0]!, (counts.get(id.split('/')[0]!) ?? 0) + 1)
    expect(Object.fromEntries(counts)).toEqual({
      'CN-KZ-1997': 113,
      'KZ-GE-2014': 110,
      'STOP-2021': 64,
      TFA: 456,
      'TFA-P': 9,
      'US-KZ-1997': 72,
      'WTO-KZ': 17,
    })
  })

  test('gives every clause of the Protocol a status of its own and leaves the others planned', () => {
    const planned = law.clauses.filter(({ id, status }) => !id.startsWith('STOP-2021/') && status !== 'planned')
    expect(planned).toEqual([])
    const protocol = law.clauses.filter(({ id }) => id.startsWith('STOP-2021/'))
    expect(protocol.filter(({ status, statusReason }) => status !== 'enforced' && !statusReason)).toEqual([])
  })

  test('answers with the values of the treaty', () => {
    expect(law.number('STOP-2021/9.2-r1', 'termYears', '2026-11-22')).toBe(3)
    expect(law.number('STOP-2021/9.2-r2', 'renewalYears', '2026-11-22')).toBe(3)
    expect(law.number('STOP-2021/9.2-r3', 'noticeMonths', '2026-11-22')).toBe(6)
    expect(law.number('CN-KZ-1997/17-r2', 'termYears', '2026-11-22')).toBe(5)
    expect(law.value('STOP-2021/9.2-r1', 'termYears', '2026-11-22')).toEqual({
      value: 3,
      basis: 'treaty',
      clause: 'STOP-2021/9.2-r1',
      source: 'Protocol on the STOP project, Kazakhstan and China, Article 9, second paragraph',
    })
  })

  test('marks what is ours and not the treaty’s', () => {
    expect(law.value('STOP-2021/2.2-r1', 'tripExpiryDays', '2026-11-22')).toMatchObject({
      value: 120,
      basis: 'default',
      question: 64,
    })
    expect(law.value('STOP-2021/9.2-r2', 'uncertainTerm', '2026-11-22')).toMatchObject({
      basis: 'default',
      question: 59,
    })
  })

  test('has no value before its clause, under another name, or from what every object has', () => {
    expect(law.value('STOP-2021/9.2-r1', 'termYears', '2021-02-03')).toBeUndefined()
    expect(law.value('STOP-2021/9.2-r1', 'termMonths', '2026-11-22')).toBeUndefined()
    expect(law.value('STOP-2021/9.2-r1', 'constructor', '2026-11-22')).toBeUndefined()
    expect(law.value('STOP-2021/6.1-r2', 'anything', '2026-11-22')).toBeUndefined()
  })

  test('fails by name on what does not exist', () => {
    expect(() => law.clause('STOP-2021/99')).toThrow(expect.objectContaining({ code: 'law/clause-unknown' }))
    expect(() => law.clause('nothing')).toThrow(expect.objectContaining({ code: 'law/clause-unknown' }))
    expect(() => law.instrument('STOP-1921')).toThrow(expect.objectContaining({ code: 'law/instrument-unknown' }))
    expect(() => law.number('STOP-2021/9.2-r1', 'dayCount', '2026-11-22')).toThrow(
      expect.objectContaining({ code: 'law/value-unknown' }),
    )
    expect(() => law.text('STOP-2021/9.2-r1', 'termYears', '2026-11-22')).toThrow(
      expect.objectContaining({ code: 'law/value-unknown' }),
    )
    expect(law.text('STOP-2021/9.2-r1', 'dayCount', '2026-11-22')).toBe('exclude-first-day')
  })

  clause('STOP-2021/F.2', 'knows that no language prevails, and shows where the texts part', () => {
    expect(law.instrument('STOP-2021').languages.prevailing).toBeNull()
    expect(law.clause('STOP-2021/9.2-r2').divergence).toMatchObject({
      ru: expect.stringContaining('plural'),
      kk: expect.stringContaining('singular'),
      zh: expect.stringContaining('nothing about repetition'),
    })
  })

  clause('STOP-2021/P.2', 'leads from the Protocol to the agreement it rests on', () => {
    const { parent } = law.instrument('STOP-2021')
    expect(parent?.clause).toBe('STOP-2021/P.2')
    expect(law.instrument(parent?.instrument ?? '').signed.on).toBe('1997-09-26')
  })
})

describe('between two countries', () => {
  const between = (a: string, b: string, on: string) =>
    law.between(a, b, on).map(({ instrument, term }) => [instrument.id, term.standing])

  test('are the instruments that bind both, whoever asks', () => {
    const both = [
      ['CN-KZ-1997', 'undated'],
      ['STOP-2021', 'in-force'],
    ]
    expect(between('KZ', 'CN', '2026-11-22')).toEqual(both)
    expect(between('CN', 'KZ', '2026-11-22')).toEqual(both)
    expect(between('KZ', 'CN', '2021-02-03')).toEqual([['CN-KZ-1997', 'undated']])
    expect(between('KZ', 'CN', '2027-02-05')).toEqual([
      ['CN-KZ-1997', 'undated'],
      ['STOP-2021', 'uncertain'],
    ])
  })

  test('is none where the only text is a draft, the country is no side, or both are one', () => {
    expect(between('KZ', 'GE', '2026-11-22')).toEqual([])
    expect(between('CN', 'GE', '2026-11-22')).toEqual([])
    expect(between('KZ', 'KZ', '2026-11-22')).toEqual([])
  })

  test('follows the reading on record', () => {
    const facts = new Map([['STOP-2021', { recordedReading: 'zh-single' }]])
    const ids = (on: string) => law.between('KZ', 'CN', on, facts).map(({ instrument }) => instrument.id)
    expect(ids('2027-02-04')).toContain('STOP-2021')
    expect(ids('2027-02-05')).not.toContain('STOP-2021')
  })
})

describe('a change of law', () => {
  const amended = (() => {
    const first = { from: '2021-02-04', until: '2026-12-31', values: { noticeMonths: 6 }, source: 'Protocol' }
    const second = {
      from: '2027-01-01',
      text: 'At least nine months.',
      values: { noticeMonths: 9 },
      source: 'Amendment',
    }
    const notice = { ...law.clause('STOP-2021/9.2-r3'), versions: [first, second] }
    const repealed = { ...law.clause('STOP-2021/5.1'), versions: [{ ...first, values: {} }] }
    const others = law.clauses.filter(({ id }) => id !== notice.id && id !== repealed.id)
    return new Law(law.instruments, [...others, notice, repealed], law.openQuestions)
  })()

  clause('STOP-2021/7', 'is answered by the amended version from its first day, not before', () => {
    const on = (day: string) => [
      amended.number('STOP-2021/9.2-r3', 'noticeMonths', day),
      amended.clauseOn('STOP-2021/9.2-r3', day)?.text,
    ]
    const before = [6, law.clause('STOP-2021/9.2-r3').text]
    const after = [9, 'At least nine months.']
    expect(on('2026-12-31')).toEqual(before)
    expect(on('2027-01-01')).toEqual(after)
    expect(on('2027-01-02')).toEqual(after)
  })

  clause('STOP-2021/7', 'ends a repealed clause with its last day', () => {
    expect(amended.clauseOn('STOP-2021/5.1', '2026-12-31')).toBeDefined()
    expect(amended.clauseOn('STOP-2021/5.1', '2027-01-01')).toBeUndefined()
  })

  test('of an id leaves references by the old one working, duties of confidence among them', () => {
    const renamed = { ...law.instrument('STOP-2021'), id: 'STOP-2027', formerIds: ['STOP-2021'] }
    const clauses = law.clauses
      .filter(({ id }) => id.startsWith('STOP-2021/'))
      .map((each) => ({ ...each, id: each.id.replace('STOP-2021', 'STOP-2027') }))
    const later = new Law([renamed], clauses, [])
    expect(later.instrument('STOP-2021').id).toBe('STOP-2027')
    expect(later.clause('STOP-2021/6.1-r1').id).toBe('STOP-2027/6.1-r1')
    expect(later.clause('STOP-2027/6.1-r1').id).toBe('STOP-2027/6.1-r1')
  })
})
