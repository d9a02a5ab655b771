import { describe, expect, test } from 'vitest'
import { bodyDigest, buildGateFacts, codeListDigest, dataItemsDigest, law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { findBasis } from './decide-gate.ts'
import {
  type ConditionsRegistration,
  decideApproval,
  decideNotice,
  decideReading,
  decideRegistration,
  decideTwoPersons,
  decideWorkingGroupRecord,
  readingDigest,
} from './decide-records.ts'
import { digestOf, isDigest } from './digest.ts'
import type { ConditionsVersion, GateFacts, HeadApproval, WorkingGroupDecision } from './gate-facts.ts'

const today = '2026-11-22'
const stop = law.instrument('STOP-2021')
const facts = buildGateFacts()
const basis = findBasis(law, facts)!
const [version] = facts.conditions as [ConditionsVersion]
const sections = ['messages', 'dataItems', 'regulation', 'method', 'requirements', 'protection', 'lock']
const other = digestOf('other content')
const codeOf = (decision: { ok: true } | { ok: false; refusal: { code: string } }) =>
  decision.ok ? undefined : decision.refusal.code

describe('registering Technical Conditions', () => {
  const register = (changes: Partial<ConditionsRegistration>, on: Partial<GateFacts> = {}) =>
    decideRegistration(basis, buildGateFacts(on), { ...version, sections, ...changes }, today)
  const draft: Partial<GateFacts> = { approvals: [] }

  clause('STOP-2021/2.4-r1', 'takes a draft, and takes it again with other content', () => {
    expect(register({}, { conditions: [], approvals: [] })).toEqual({ ok: true, value: version })
    expect(register({ bodyDigest: other }, draft).ok).toBe(true)
  })

  test('refuses a package without a section, and says which clause asks for it', () => {
    const lacking = (section: string) => register({ sections: sections.filter((known) => known !== section) }, draft)
    for (const [section, ref] of Object.entries(basis.gate.sections))
      expect(lacking(section)).toEqual({ ok: false, refusal: { code: 'law/section-missing', clause: ref, section } })
    expect(lacking('lock').ok).toBe(true)
  })

  clause('STOP-2021/1.4-r1', 'refuses a package without message structures', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'messages') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/1.4-r1' } })
  })

  clause('STOP-2021/1.4-r2', 'refuses a package without data items', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'dataItems') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/1.4-r2' } })
  })

  clause('STOP-2021/1.4-r3', 'refuses a package without regulation', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'regulation') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/1.4-r3' } })
  })

  clause('STOP-2021/1.4-r4', 'refuses a package that names no method', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'method') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/1.4-r4' } })
  })

  clause('STOP-2021/1.4-r5', 'refuses a package without requirements for software and hardware', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'requirements') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/1.4-r5' } })
  })

  clause('STOP-2021/3.b-r3', 'refuses a package without protection requirements', () => {
    const decision = register({ sections: sections.filter((section) => section !== 'protection') }, draft)
    expect(decision).toMatchObject({ refusal: { code: 'law/section-missing', clause: 'STOP-2021/3.b-r3' } })
  })

  test('refuses dates that are none or run backwards, and takes a single day', () => {
    expect(codeOf(register({ validFrom: '2026-02-30' }, draft))).toBe('law/conditions-dates-invalid')
    expect(codeOf(register({ validUntil: '2026-02-28' }, draft))).toBe('law/conditions-dates-invalid')
    expect(register({ validUntil: version.validFrom }, draft).ok).toBe(true)
  })

  clause('STOP-2021/2.4-r1', 'freezes body and annexes of the heads at the first approval', () => {
    const first = { approvals: facts.approvals.slice(0, 1) }
    expect(codeOf(register({ bodyDigest: other }, first))).toBe('law/conditions-frozen')
    const annexes = version.annexes.map((annex) => (annex.name === 'data-items' ? { ...annex, digest: other } : annex))
    expect(codeOf(register({ annexes }, first))).toBe('law/conditions-frozen')
    expect(register({}, first).ok).toBe(true)
  })

  test('lets the working group change its annex and the dates of an approved version, by decision only', () => {
    const annexes = version.annexes.map((annex) => (annex.name === 'code-lists' ? { ...annex, digest: other } : annex))
    expect(codeOf(register({ annexes }))).toBe('law/annex-not-approved')
    const decision: WorkingGroupDecision = {
      reference: 'WG-7',
      kind: 'annex',
      decidedOn: '2026-10-01',
      version: '1.0',
      annex: 'code-lists',
      digest: other,
    }
    const decided = { decisions: [...facts.decisions, decision] }
    expect(register({ annexes }, decided).ok).toBe(true)
    expect(codeOf(register({ annexes: [version.annexes[1]!] }, decided))).toBe('law/reference-missing')
    expect(codeOf(register({ validUntil: '2027-06-30' }, decided))).toBe('law/reference-missing')
    expect(codeOf(register({ validUntil: '2027-06-30', decisionReference: 'WG-8' }, decided))).toBe(
      'law/reference-missing',
    )
    expect(register({ validUntil: '2027-06-30', decisionReference: 'WG-7' }, decided).ok).toBe(true)
  })
})

describe('recording a decision of the working group', () => {
  const agreed = facts.decisions[4]!
  const record = (changes: Partial<WorkingGroupDecision>) =>
    decideWorkingGroupRecord(basis, facts, { ...agreed, reference: 'WG-20', ...changes }, today)

  clause(['STOP-2021/3', 'STOP-2021/3.b-r1'], 'takes one on the content registered', () => {
    expect(record({})).toEqual({ ok: true, value: { known: false } })
  })

  clause('STOP-2021/3', 'refuses one without reference', () => {
    expect(codeOf(record({ reference: ' ' }))).toBe('law/reference-missing')
  })

  test('takes one of today and refuses one of tomorrow or of no day', () => {
    expect(record({ decidedOn: today }).ok).toBe(true)
    expect(codeOf(record({ decidedOn: '2026-11-23' }))).toBe('law/date-in-future')
    expect(codeOf(record({ decidedOn: '2026-02-30' }))).toBe('law/date-in-future')
  })

  clause('STOP-2021/3.b-r1', 'refuses one on conditions that are not registered, or on other content', () => {
    expect(codeOf(record({ version: '9.9' }))).toBe('law/conditions-missing')
    const { digest: _, ...undigested } = agreed
    expect(codeOf(decideWorkingGroupRecord(basis, facts, { ...undigested, reference: 'WG-20' }, today))).toBe(
      'law/conditions-missing',
    )
    expect(codeOf(record({ digest: 'short' }))).toBe('law/conditions-missing')
    expect(codeOf(record({ digest: other }))).toBe('law/approval-digest-differs')
    expect(codeOf(record({ kind: 'annex' }))).toBe('law/conditions-missing')
  })

  test('changes nothing for the same decision again, and refuses another under its reference', () => {
    expect(record({ reference: 'WG-5' })).toEqual({ ok: true, value: { known: true } })
    expect(codeOf(record({ reference: 'WG-5', decidedOn: '2026-01-31' }))).toBe('law/decision-exists')
  })
})

describe('recording the approval of a head', () => {
  const approval = facts.approvals[1]!
  const approve = (changes: Partial<HeadApproval>, on: Partial<GateFacts> = {}) =>
    decideApproval(
      basis,
      buildGateFacts({ approvals: [facts.approvals[0]!], ...on }),
      { ...approval, ...changes },
      today,
    )

  clause('STOP-2021/2.4-r2', 'takes one per side, with person, post, day and digest', () => {
    expect(approve({})).toEqual({ ok: true, value: approval })
    expect(approve({ annex: 'data-items', digest: dataItemsDigest }).ok).toBe(true)
  })

  clause('STOP-2021/P.1', 'refuses the approval of a country that is no side', () => {
    expect(approve({ side: 'GE' })).toEqual({
      ok: false,
      refusal: { code: 'law/not-a-side', clause: 'STOP-2021/P.1', side: 'GE' },
    })
  })

  clause('STOP-2021/2.4-r2', 'refuses one without person or post', () => {
    expect(codeOf(approve({ person: '' }))).toBe('law/reference-missing')
    expect(codeOf(approve({ post: ' ' }))).toBe('law/reference-missing')
  })

  test('takes one of today and refuses one of tomorrow', () => {
    expect(approve({ approvedOn: today }).ok).toBe(true)
    expect(codeOf(approve({ approvedOn: '2026-11-23' }))).toBe('law/date-in-future')
  })

  clause('STOP-2021/2.4-r1', 'refuses one of a version that is not registered or not yet agreed', () => {
    expect(codeOf(approve({ version: '9.9' }))).toBe('law/conditions-missing')
    const decisions = facts.decisions.filter(({ kind }) => kind !== 'conditions')
    expect(codeOf(approve({}, { decisions }))).toBe('law/conditions-not-agreed')
  })

  clause('STOP-2021/2.4-r2', 'refuses one of other content, of body and annex alike', () => {
    expect(codeOf(approve({ digest: other }))).toBe('law/approval-digest-differs')
    expect(codeOf(approve({ annex: 'data-items', digest: codeListDigest }))).toBe('law/approval-digest-differs')
    expect(codeOf(approve({ annex: 'none', digest: bodyDigest }))).toBe('law/annex-unknown')
  })

  clause('STOP-2021/2.4-r2', 'refuses a second approval of the same side for the same content', () => {
    expect(codeOf(approve({ side: 'KZ', person: 'Somebody else' }))).toBe('law/approval-exists')
  })
})

describe('recording a notice', () => {
  const notice = { side: 'CN', notifiedOn: '2026-08-04', reference: 'Note 17' }

  clause('STOP-2021/9.2-r4', 'takes a written one with the reference of the note, however late', () => {
    expect(decideNotice(stop, notice, today)).toEqual({ ok: true, value: notice })
    expect(decideNotice(stop, { ...notice, notifiedOn: today }, today).ok).toBe(true)
  })

  clause('STOP-2021/9.2-r4', 'refuses one without the reference of a diplomatic note', () => {
    expect(decideNotice(stop, { ...notice, reference: '' }, today)).toEqual({
      ok: false,
      refusal: { code: 'law/reference-missing', clause: 'STOP-2021/9.2-r4' },
    })
  })

  test('refuses one of a third country, of tomorrow, or without a calendar day', () => {
    expect(codeOf(decideNotice(stop, { ...notice, side: 'GE' }, today))).toBe('law/not-a-side')
    expect(codeOf(decideNotice(stop, { ...notice, notifiedOn: '2026-11-23' }, today))).toBe('law/date-in-future')
    expect(codeOf(decideNotice(stop, { ...notice, notifiedOn: '2026-02-30' }, today))).toBe('law/date-in-future')
    expect(codeOf(decideNotice(stop, { ...notice, effectiveOn: 'soon' }, today))).toBe('law/date-in-future')
  })
})

describe('recording a reading of the term', () => {
  const digest = readingDigest('STOP-2021', 'ru-repeat')
  const persons = [
    { id: 'lawyer-1', at: '2026-11-22T03:00:00.000Z' },
    { id: 'lawyer-2', at: '2026-11-22T04:00:00.000Z' },
  ]

  clause(['STOP-2021/F.2', 'STOP-2021/9.2-r2'], 'takes one that two persons have approved', () => {
    expect(decideReading(stop, 'ru-repeat', 'opinion 5', { digest, persons })).toEqual({
      ok: true,
      value: { digest, persons },
    })
  })

  test('refuses a reading that no text gives, or one without a reason', () => {
    expect(codeOf(decideReading(stop, 'fr-once', 'opinion 5', { digest, persons }))).toBe('law/reading-unknown')
    expect(codeOf(decideReading(law.instrument('TFA'), 'repeat', 'opinion 5', { digest, persons }))).toBe(
      'law/reading-unknown',
    )
    expect(codeOf(decideReading(stop, 'ru-repeat', ' ', { digest, persons }))).toBe('law/reference-missing')
  })

  clause('STOP-2021/F.2', 'refuses one person, the same person twice, and the approval of another reading', () => {
    const decide = (act?: Parameters<typeof decideReading>[3]) =>
      codeOf(decideReading(stop, 'ru-repeat', 'opinion 5', act))
    expect(decide()).toBe('law/second-person-missing')
    expect(decide({ digest, persons: persons.slice(0, 1) })).toBe('law/second-person-missing')
    expect(decide({ digest, persons: [persons[0]!, { ...persons[1]!, id: ' lawyer-1' }] })).toBe(
      'law/second-person-missing',
    )
    expect(decide({ digest, persons: [persons[0]!, { ...persons[1]!, id: '' }] })).toBe('law/second-person-missing')
    expect(decide({ digest: readingDigest('STOP-2021', 'zh-single'), persons })).toBe('law/act-digest-differs')
  })

  test('binds the act to agreement and reading', () => {
    expect(isDigest(digest)).toBe(true)
    expect(readingDigest('STOP-2021', 'zh-single')).not.toBe(digest)
    expect(readingDigest('CN-KZ-1997', 'ru-repeat')).not.toBe(digest)
    expect(decideTwoPersons({ digest, persons }, other)).toEqual({
      ok: false,
      refusal: { code: 'law/act-digest-differs', expected: other },
    })
  })
})
