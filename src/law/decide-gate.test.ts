import { describe, expect, test } from 'vitest'
import { bodyDigest, buildGateFacts, law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { decideGate, findBasis, stageOf } from './decide-gate.ts'
import { digestOf } from './digest.ts'
import type { ConditionsVersion, GateFacts } from './gate-facts.ts'
import { Law } from './law.ts'

const today = '2026-11-22'
const facts = buildGateFacts()
const basis = findBasis(law, facts)!
const [version] = facts.conditions as [ConditionsVersion]
const gate = (changes: Partial<GateFacts>, on = today) => decideGate(law, buildGateFacts(changes), on)
const without = (reference: string) => ({ decisions: facts.decisions.filter((known) => known.reference !== reference) })
const refusalOf = (changes: Partial<GateFacts>, on = today) => {
  const decision = gate(changes, on)
  return decision.ok ? undefined : decision.refusal
}

/** A second version, complete, valid from 1 March 2027. */
const next = {
  digest: digestOf('body of version 1.1'),
  facts: (validUntil?: string): Partial<GateFacts> => {
    const digest = digestOf('body of version 1.1')
    const first = validUntil === undefined ? version : { ...version, validUntil }
    const head = { version: '1.1', person: 'Head', post: 'Head', approvedOn: '2027-02-10', digest }
    return {
      term: { recordedReading: 'ru-repeat' },
      conditions: [first, { version: '1.1', bodyDigest: digest, annexes: [], validFrom: '2027-03-01' }],
      decisions: [
        ...facts.decisions,
        { reference: 'WG-9', kind: 'conditions', decidedOn: '2027-02-01', version: '1.1', digest },
      ],
      approvals: [...facts.approvals, { ...head, side: 'KZ' }, { ...head, side: 'CN' }],
    }
  },
}

describe('the gate for live exchange', () => {
  clause(['STOP-2021/4-r4', 'STOP-2021/2.4-r2'], 'opens when everything is on record', () => {
    expect(gate({})).toEqual({
      ok: true,
      value: {
        mode: 'live',
        agreement: 'STOP-2021',
        conditionsVersionForSending: '1.0',
        acceptedVersions: ['1.0'],
        warnings: [{ code: 'law/term-readings-part', clause: 'STOP-2021/9.2-r2', endsOn: '2027-02-04' }],
      },
    })
  })

  clause('STOP-2021/P.1', 'is for the two sides and no other country', () => {
    expect(refusalOf({ partner: 'GE-RS' })).toEqual({ code: 'law/no-agreement', agreement: 'STOP-2021' })
    expect(refusalOf({ partner: 'KZ-OTHER' })).toEqual({ code: 'law/no-agreement', agreement: 'STOP-2021' })
    expect(refusalOf({ home: 'CN-GACC', partner: 'KZ-KGD' })).toBeUndefined()
  })

  test('does not open under an agreement that has no standing exchange, or is unknown', () => {
    expect(refusalOf({ agreement: 'CN-KZ-1997' })?.code).toBe('law/no-agreement')
    expect(refusalOf({ agreement: 'NONE' })?.code).toBe('law/no-agreement')
  })

  clause('STOP-2021/9.1', 'stays shut before the agreement is in force', () => {
    expect(refusalOf({}, '2021-02-03')).toEqual({
      code: 'law/agreement-not-in-force',
      clause: 'STOP-2021/9.1',
      inForceOn: '2021-02-04',
    })
  })

  clause('STOP-2021/9.2-r2', 'shuts the day after the recorded reading ends the agreement', () => {
    const term = { recordedReading: 'zh-single' }
    expect(refusalOf({ term }, '2027-02-03')).toBeUndefined()
    expect(refusalOf({ term }, '2027-02-04')).toBeUndefined()
    expect(refusalOf({ term }, '2027-02-05')).toEqual({
      code: 'law/agreement-ended',
      clause: 'STOP-2021/9.2-r2',
      endedOn: '2027-02-04',
    })
  })

  clause(
    ['STOP-2021/9.2-r2', 'STOP-2021/F.2'],
    'warns and stays open while the texts differ and nobody has recorded a reading',
    () => {
      expect(gate({}, '2027-02-04').ok).toBe(true)
      expect(gate({}, '2027-02-05')).toMatchObject({
        ok: true,
        value: { warnings: [{ code: 'law/term-runs-uncertain', endedOn: '2027-02-04' }] },
      })
    },
  )

  test('shuts while the term is uncertain when the setting says close', () => {
    const clauses = law.clauses.map((each) => {
      if (each.id !== 'STOP-2021/9.2-r2') return each
      const defaults = { uncertainTerm: { value: 'close', question: 59 } }
      return { ...each, versions: each.versions!.map((known) => ({ ...known, defaults })) }
    })
    const strict = new Law(law.instruments, clauses, law.openQuestions)
    const decision = decideGate(strict, facts, '2027-02-05')
    expect(decision).toEqual({
      ok: false,
      refusal: { code: 'law/term-uncertain', clause: 'STOP-2021/9.2-r2', endedOn: '2027-02-04' },
    })
  })

  clause('STOP-2021/9.2-r3', 'shuts the day after a timely notice ends the agreement', () => {
    const term = {
      recordedReading: 'ru-repeat',
      notices: [{ side: 'KZ', notifiedOn: '2026-08-04', reference: 'Note 1' }],
    }
    expect(gate({ term }, '2027-02-04')).toMatchObject({
      ok: true,
      value: { warnings: [{ code: 'law/notice-given' }] },
    })
    expect(refusalOf({ term }, '2027-02-05')?.code).toBe('law/agreement-ended')
  })

  clause('STOP-2021/P.2', 'warns when the parent agreement has ended', () => {
    const notice = { side: 'CN', notifiedOn: '2026-01-10', reference: 'Note 9', effectiveOn: '2026-10-31' }
    const decision = gate({ term: { recordedReading: 'ru-repeat' }, parentTerm: { notices: [notice] } })
    expect(decision).toMatchObject({
      ok: true,
      value: {
        warnings: [{ code: 'law/parent-ended', clause: 'STOP-2021/P.2', parent: 'CN-KZ-1997', endedOn: '2026-10-31' }],
      },
    })
  })

  clause('STOP-2021/4-r4', 'stays shut while the channel is closed or suspended', () => {
    expect(refusalOf({ state: 'closed' })).toEqual({ code: 'law/channel-closed', clause: 'STOP-2021/4-r4' })
    expect(refusalOf({ state: 'suspended' })).toEqual({ code: 'law/channel-suspended', clause: 'STOP-2021/4-r4' })
  })

  clause(['STOP-2021/3', 'STOP-2021/4-r3'], 'stays shut without a working group', () => {
    expect(refusalOf(without('WG-1'))).toEqual({ code: 'law/working-group-missing', clause: 'STOP-2021/3' })
  })

  clause(['STOP-2021/3.a', 'STOP-2021/4-r3'], 'stays shut while the content is not determined', () => {
    expect(refusalOf(without('WG-2'))).toEqual({ code: 'law/content-undetermined', clause: 'STOP-2021/3.a' })
  })

  clause(['STOP-2021/3.b-r2', 'STOP-2021/4-r3'], 'stays shut while the technology is not agreed', () => {
    expect(refusalOf(without('WG-3'))).toEqual({ code: 'law/technology-not-agreed', clause: 'STOP-2021/3.b-r2' })
  })

  clause(['STOP-2021/3.b-r3', 'STOP-2021/4-r3'], 'stays shut while the protection of information is not agreed', () => {
    expect(refusalOf(without('WG-4'))).toEqual({ code: 'law/protection-not-agreed', clause: 'STOP-2021/3.b-r3' })
  })

  clause('STOP-2021/4-r4', 'stays shut without Technical Conditions', () => {
    expect(refusalOf({ conditions: [] })).toEqual({ code: 'law/conditions-missing', clause: 'STOP-2021/4-r4' })
  })

  clause('STOP-2021/3.b-r1', 'stays shut while the working group has not agreed exactly this content', () => {
    const expected = { code: 'law/conditions-not-agreed', clause: 'STOP-2021/3.b-r1', version: '1.0' }
    expect(refusalOf(without('WG-5'))).toEqual(expected)
    const changed = { ...version, bodyDigest: digestOf('changed after it was agreed') }
    expect(refusalOf({ conditions: [changed] })).toEqual(expected)
  })

  clause('STOP-2021/2.4-r2', 'stays shut while one head has not approved', () => {
    for (const side of ['KZ', 'CN']) {
      const approvals = facts.approvals.filter((known) => known.side !== side)
      const expected = { code: 'law/approval-missing', clause: 'STOP-2021/2.4-r2', version: '1.0', side }
      expect(refusalOf({ approvals })).toEqual(expected)
    }
  })

  clause('STOP-2021/2.4-r2', 'stays shut while a head has approved another content', () => {
    const approvals = facts.approvals.map((known) =>
      known.side === 'CN' && !known.annex ? { ...known, digest: digestOf('another body') } : known,
    )
    expect(refusalOf({ approvals })).toMatchObject({ code: 'law/approval-digest-differs', side: 'CN' })
  })

  clause('STOP-2021/2.4-r2', 'counts an approval from its day on', () => {
    expect(refusalOf({ conditions: [{ ...version, validFrom: '2026-01-01' }] }, '2026-02-14')?.code).toBe(
      'law/approval-missing',
    )
    expect(refusalOf({ conditions: [{ ...version, validFrom: '2026-01-01' }] }, '2026-02-15')).toBeUndefined()
  })

  clause('STOP-2021/2.4-r2', 'stays shut while an annex is not approved by those whom the body names', () => {
    const withoutHead = facts.approvals.filter(({ annex, side }) => annex === undefined || side === 'KZ')
    expect(refusalOf({ approvals: withoutHead })).toMatchObject({ code: 'law/annex-not-approved', annex: 'data-items' })
    expect(refusalOf(without('WG-6'))).toMatchObject({ code: 'law/annex-not-approved', annex: 'code-lists' })
    const annexes = version.annexes.map((annex) => ({ ...annex, digest: digestOf('changed') }))
    expect(refusalOf({ conditions: [{ ...version, annexes }] })?.code).toBe('law/annex-not-approved')
  })

  clause('STOP-2021/4-r4', 'opens on the first day of a version and shuts after its last', () => {
    const dated = { conditions: [{ ...version, validUntil: '2026-12-31' }] }
    expect(refusalOf(dated, '2026-02-28')).toMatchObject({
      code: 'law/conditions-not-yet-valid',
      validFrom: '2026-03-01',
    })
    expect(refusalOf(dated, '2026-03-01')).toBeUndefined()
    expect(refusalOf(dated, '2026-12-30')).toBeUndefined()
    expect(refusalOf(dated, '2026-12-31')).toBeUndefined()
    expect(refusalOf(dated, '2027-01-01')).toMatchObject({ code: 'law/conditions-lapsed', validUntil: '2026-12-31' })
  })

  clause('STOP-2021/5.2-r2', 'accepts both versions while they overlap and sends by the later one', () => {
    const changes = next.facts('2027-06-30')
    const open = (on: string) => {
      const decision = gate(changes, on)
      return decision.ok ? decision.value : undefined
    }
    expect(open('2027-02-28')).toMatchObject({ conditionsVersionForSending: '1.0', acceptedVersions: ['1.0'] })
    expect(open('2027-03-01')).toMatchObject({ conditionsVersionForSending: '1.1', acceptedVersions: ['1.1', '1.0'] })
    expect(open('2027-06-30')).toMatchObject({ acceptedVersions: ['1.1', '1.0'] })
    expect(open('2027-07-01')).toMatchObject({ conditionsVersionForSending: '1.1', acceptedVersions: ['1.1'] })
  })

  test('names what the version that came furthest lacks', () => {
    const draft: ConditionsVersion = { version: '1.1', bodyDigest: next.digest, annexes: [], validFrom: '2027-01-01' }
    const lapsed = { ...version, validUntil: '2026-10-31' }
    expect(refusalOf({ conditions: [lapsed, draft] })).toMatchObject({ code: 'law/conditions-lapsed', version: '1.0' })
  })

  test('warns thirty days before a version lapses, unless a later one is ready', () => {
    const recorded = { recordedReading: 'ru-repeat' }
    const warned = (changes: Partial<GateFacts>, on: string) => {
      const decision = gate(changes, on)
      return decision.ok && decision.value.warnings.map(({ code }) => code)
    }
    const ending = { term: recorded, conditions: [{ ...version, validUntil: '2026-12-31' }] }
    expect(warned(ending, '2026-11-30')).toEqual([])
    expect(warned(ending, '2026-12-01')).toEqual(['law/conditions-lapse-soon'])
    expect(warned(next.facts('2027-03-20'), '2027-02-27')).toEqual([])
  })

  test('names the first in order of precedence when several apply', () => {
    const order: Array<[Partial<GateFacts>, string]> = [
      [{ agreement: 'NONE', state: 'closed', decisions: [], conditions: [], approvals: [] }, 'law/no-agreement'],
      [{ term: { recordedReading: 'zh-single' }, state: 'closed', decisions: [] }, 'law/agreement-ended'],
      [{ state: 'closed', decisions: [], conditions: [], approvals: [] }, 'law/channel-closed'],
      [{ state: 'suspended', decisions: [], conditions: [], approvals: [] }, 'law/channel-suspended'],
      [{ decisions: [], conditions: [], approvals: [] }, 'law/working-group-missing'],
      [{ decisions: facts.decisions.slice(0, 1), conditions: [], approvals: [] }, 'law/content-undetermined'],
      [{ decisions: facts.decisions.slice(0, 2), conditions: [], approvals: [] }, 'law/technology-not-agreed'],
      [{ decisions: facts.decisions.slice(0, 3), conditions: [], approvals: [] }, 'law/protection-not-agreed'],
      [{ decisions: facts.decisions.slice(0, 4), conditions: [], approvals: [] }, 'law/conditions-missing'],
      [{ decisions: facts.decisions.slice(0, 4), approvals: [] }, 'law/conditions-not-agreed'],
      [{ decisions: facts.decisions.slice(0, 5), approvals: [] }, 'law/approval-missing'],
      [
        { decisions: facts.decisions.slice(0, 5), conditions: [{ ...version, validUntil: '2026-03-02' }] },
        'law/annex-not-approved',
      ],
      [{ conditions: [{ ...version, validUntil: '2026-03-02' }] }, 'law/conditions-lapsed'],
    ]
    for (const [changes, code] of order) expect(refusalOf(changes, '2027-02-05')?.code).toBe(code)
  })
})

describe('the gate for test mode', () => {
  const draftOnly: Partial<GateFacts> = { state: 'test', decisions: [], approvals: [] }

  clause('STOP-2021/4-r4', 'opens for a declared test on a draft, without approvals, and never live', () => {
    expect(gate(draftOnly)).toEqual({
      ok: true,
      value: {
        mode: 'test',
        agreement: 'STOP-2021',
        conditionsVersionForSending: '1.0',
        acceptedVersions: ['1.0'],
        warnings: [],
      },
    })
    expect(gate({ state: 'test' })).toMatchObject({ value: { mode: 'test' } })
  })

  clause('STOP-2021/1.4-r1', 'stays shut without any version: nothing says what a message is', () => {
    expect(refusalOf({ ...draftOnly, conditions: [] })?.code).toBe('law/conditions-missing')
  })

  test('is for the sides of the agreement only', () => {
    expect(refusalOf({ ...draftOnly, partner: 'GE-RS' })?.code).toBe('law/no-agreement')
  })
})

describe('the life of a version', () => {
  clause('STOP-2021/2.4-r1', 'goes draft, agreed, approved, in force, superseded, lapsed', () => {
    const recorded = buildGateFacts(next.facts('2027-06-30'))
    const [first, second] = recorded.conditions as [ConditionsVersion, ConditionsVersion]
    const at = (on: string, conditions = first) => stageOf(basis, recorded, conditions, on)
    expect(at('2026-01-31')).toBe('draft')
    expect(at('2026-02-01')).toBe('agreed')
    expect(at('2026-02-14')).toBe('agreed')
    expect(at('2026-02-15')).toBe('approved')
    expect(at('2026-03-01')).toBe('in-force')
    expect(at('2027-03-01')).toBe('superseded')
    expect(at('2027-03-01', second)).toBe('in-force')
    expect(at('2027-07-01')).toBe('lapsed')
  })

  clause('STOP-2021/2.4-r1', 'is a draft again when its content changes after it was agreed', () => {
    expect(stageOf(basis, facts, { ...version, bodyDigest: digestOf('changed') }, today)).toBe('draft')
    expect(stageOf(basis, facts, { ...version, bodyDigest }, today)).toBe('in-force')
  })
})
