import { describe, expect, test } from 'vitest'
import { buildGateFacts, law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { decideStateChange, openingDigest } from './decide-state-change.ts'
import { digestOf } from './digest.ts'
import type { ChannelState, GateFacts, TwoPersonAct } from './gate-facts.ts'

const today = '2026-11-22'
const states: readonly ChannelState[] = ['closed', 'test', 'production', 'suspended']
const persons = [
  { id: 'officer-1', at: '2026-11-22T03:00:00.000Z' },
  { id: 'officer-2', at: '2026-11-22T04:00:00.000Z' },
]
const digestFor = (facts: GateFacts) => {
  const opening = openingDigest(law, facts, today)
  return opening.ok ? opening.value : ''
}
const change = (
  from: ChannelState,
  to: ChannelState,
  options: { act?: TwoPersonAct; facts?: Partial<GateFacts>; reason?: string } = {},
) => {
  const facts = buildGateFacts({ ...options.facts, state: from })
  const act = options.act ?? { digest: digestFor(facts), persons }
  return decideStateChange(law, facts, { to, reason: options.reason ?? 'minutes 12', act }, today)
}
const codeOf = (decision: ReturnType<typeof change>) => (decision.ok ? undefined : decision.refusal.code)

describe('the state of a channel', () => {
  test('goes closed, test, production, suspended, and only by these steps', () => {
    const steps = states.flatMap((from) => states.filter((to) => change(from, to).ok).map((to) => `${from} ${to}`))
    expect(steps).toEqual([
      'closed test',
      'test closed',
      'test production',
      'production suspended',
      'suspended closed',
      'suspended test',
      'suspended production',
    ])
    expect(change('closed', 'production')).toEqual({
      ok: false,
      refusal: { code: 'law/state-change-not-allowed', clause: 'STOP-2021/4-r4', from: 'closed', to: 'production' },
    })
  })

  test('does not change without a reason, or under an agreement without an exchange', () => {
    expect(codeOf(change('closed', 'test', { reason: ' ' }))).toBe('law/reference-missing')
    expect(codeOf(change('closed', 'test', { facts: { agreement: 'CN-KZ-1997' } }))).toBe('law/no-agreement')
  })

  test('goes to test while nothing is approved yet', () => {
    expect(change('closed', 'test', { facts: { decisions: [], approvals: [], conditions: [] } }).ok).toBe(true)
  })

  clause(['STOP-2021/4-r3', 'STOP-2021/4-r4'], 'opens production when all is on record and two persons say so', () => {
    const decision = change('test', 'production')
    expect(decision).toMatchObject({ ok: true, value: { from: 'test', to: 'production', act: { persons } } })
  })

  clause(
    ['STOP-2021/4-r3', 'STOP-2021/4-r4'],
    'refuses production while anything is missing, from test and from suspended',
    () => {
      for (const from of ['test', 'suspended'] as const) {
        expect(codeOf(change(from, 'production', { facts: { decisions: [] } }))).toBe('law/working-group-missing')
        expect(codeOf(change(from, 'production', { facts: { approvals: [] } }))).toBe('law/approval-missing')
        expect(codeOf(change(from, 'production', { facts: { conditions: [] } }))).toBe('law/conditions-missing')
      }
    },
  )

  clause('STOP-2021/4-r4', 'refuses production to one person, and to two who approved other conditions', () => {
    const digest = digestFor(buildGateFacts())
    expect(codeOf(change('test', 'production', { act: { digest, persons: persons.slice(0, 1) } }))).toBe(
      'law/second-person-missing',
    )
    expect(codeOf(change('test', 'production', { act: { digest: digestOf('other'), persons } }))).toBe(
      'law/act-digest-differs',
    )
  })

  test('binds the opening to partner, body and annexes', () => {
    const facts = buildGateFacts()
    const [version] = facts.conditions
    const digests = [
      digestFor(facts),
      digestFor(buildGateFacts({ home: 'CN-GACC', partner: 'KZ-KGD' })),
      digestFor(buildGateFacts({ conditions: [{ ...version!, annexes: version!.annexes.slice(0, 1) }] })),
    ]
    expect(new Set(digests).size).toBe(3)
    expect(digestFor(buildGateFacts({ conditions: [{ ...version!, annexes: [...version!.annexes].reverse() }] }))).toBe(
      digests[0],
    )
    expect(openingDigest(law, buildGateFacts({ approvals: [] }), today)).toMatchObject({ ok: false })
  })
})
