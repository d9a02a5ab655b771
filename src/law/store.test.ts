import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../tests/builders/database.ts'
import { buildGateFacts, law } from '../../tests/builders/gate-facts.ts'
import { clause } from '../../tests/clause.ts'
import { withActor } from '../platform/db/index.ts'
import { decideGate } from './decide-gate.ts'
import { type ConditionsRegistration, readingDigest } from './decide-records.ts'
import { openingDigest } from './decide-state-change.ts'
import { digestOf } from './digest.ts'
import type { ConditionsVersion } from './gate-facts.ts'
import {
  type Channel,
  changeChannelState,
  listChannelSteps,
  loadGateFacts,
  loadTermFacts,
  type RecordedBy,
  recordApproval,
  recordNotice,
  recordReading,
  recordWorkingGroupDecision,
  registerConditions,
} from './store.ts'

const channel: Channel = { home: 'KZ-KGD', partner: 'CN-GACC', agreement: 'STOP-2021' }
const by: RecordedBy = {
  actor: 'officer-1',
  purpose: 'administration',
  at: '2026-11-22T03:00:00.000Z',
  on: '2026-11-22',
}
const complete = buildGateFacts()
const [version] = complete.conditions as [ConditionsVersion]
const registration: ConditionsRegistration = {
  ...version,
  sections: ['messages', 'dataItems', 'regulation', 'method', 'requirements', 'protection'],
}
const persons = [
  { id: 'officer-1', at: '2026-11-22T03:00:00.000Z' },
  { id: 'officer-2', at: '2026-11-22T04:00:00.000Z' },
]

let testDatabase: TestDatabase
let owner: pg.Client
beforeAll(async () => {
  testDatabase = await createTestDatabase()
  owner = new pg.Client({ connectionString: testDatabase.ownerUrl })
  await owner.connect()
})
beforeEach(async () => {
  const tables = [
    'conditions',
    'working_group_decision',
    'head_approval',
    'term_reading',
    'termination_notice',
    'channel_state',
  ]
  await owner.query(`truncate ${tables.map((table) => `law.${table}`).join(', ')}`)
})
afterAll(async () => {
  await owner.end()
  await testDatabase.drop()
})
type Work<Result> = Parameters<typeof withActor<Result>>[2]
const run = <Result>(work: Work<Result>) => withActor(testDatabase.database, by, work)
const load = (on: Channel = channel) => run((tx) => loadGateFacts(tx, law, on))
const count = (table: string) =>
  run(
    async (tx) => (await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(tx)).rows[0]!.n,
  )

/** Records everything that live exchange needs. */
async function recordAll(): Promise<void> {
  await run((tx) => registerConditions(tx, law, channel, registration, by))
  for (const decision of complete.decisions)
    await run((tx) => recordWorkingGroupDecision(tx, law, channel, decision, by))
  for (const approval of complete.approvals) await run((tx) => recordApproval(tx, law, channel, approval, by))
}

describe('the record of law', () => {
  test('knows nothing of a channel at first: closed, and nothing else', async () => {
    expect(await load()).toEqual({
      ...channel,
      state: 'closed',
      decisions: [],
      conditions: [],
      approvals: [],
      term: { notices: [] },
      parentTerm: { notices: [] },
    })
  })

  clause('STOP-2021/4-r4', 'gives back everything the gate rests on, and the gate then opens', async () => {
    await recordAll()
    const digest = openingDigest(law, await load(), by.on)
    await run((tx) => changeChannelState(tx, law, channel, { to: 'test', reason: 'first contact' }, by))
    expect(decideGate(law, await load(), by.on)).toMatchObject({ ok: true, value: { mode: 'test' } })
    const act = { digest: digest.ok ? digest.value : '', persons }
    const opened = await run((tx) =>
      changeChannelState(tx, law, channel, { to: 'production', reason: 'minutes 12', act }, by),
    )
    expect(opened).toMatchObject({ ok: true })
    const facts = await load()
    expect({ ...facts, decisions: new Set(facts.decisions), approvals: new Set(facts.approvals) }).toEqual({
      ...complete,
      decisions: new Set(complete.decisions),
      approvals: new Set(complete.approvals),
      term: { notices: [] },
      parentTerm: { notices: [] },
    })
    expect(decideGate(law, facts, by.on)).toMatchObject({ ok: true, value: { mode: 'live' } })
    expect(await run((tx) => listChannelSteps(tx, channel))).toEqual([
      { number: 1, from: 'closed', to: 'test', reason: 'first contact', changedAt: by.at, changedBy: 'officer-1' },
      {
        number: 2,
        from: 'test',
        to: 'production',
        reason: 'minutes 12',
        act,
        changedAt: by.at,
        changedBy: 'officer-1',
      },
    ])
  })

  clause('STOP-2021/2.4-r2', 'refuses a second approval and one of another digest, and adds nothing', async () => {
    await recordAll()
    const before = await count('law.head_approval')
    const again = await run((tx) => recordApproval(tx, law, channel, complete.approvals[0]!, by))
    expect(again).toMatchObject({ ok: false, refusal: { code: 'law/approval-exists' } })
    const other = { ...complete.approvals[0]!, digest: digestOf('other') }
    expect(await run((tx) => recordApproval(tx, law, channel, other, by))).toMatchObject({
      refusal: { code: 'law/approval-digest-differs' },
    })
    expect(await count('law.head_approval')).toBe(before)
  })

  clause('STOP-2021/2.4-r1', 'refuses to change the body of an approved version', async () => {
    await recordAll()
    const changed = { ...registration, bodyDigest: digestOf('changed') }
    expect(await run((tx) => registerConditions(tx, law, channel, changed, by))).toMatchObject({
      refusal: { code: 'law/conditions-frozen' },
    })
    expect((await load()).conditions).toEqual([version])
  })

  test('changes nothing when the same version or decision comes again', async () => {
    await recordAll()
    const rows = async () => [await count('law.conditions'), await count('law.working_group_decision')]
    const before = await rows()
    expect(await run((tx) => registerConditions(tx, law, channel, registration, by))).toMatchObject({ ok: true })
    expect(await run((tx) => recordWorkingGroupDecision(tx, law, channel, complete.decisions[0]!, by))).toEqual({
      ok: true,
      value: { known: true },
    })
    expect(await rows()).toEqual(before)
  })

  test('gives the latest content of a draft', async () => {
    const draft = (body: string) => ({
      ...registration,
      version: '2.0',
      validFrom: '2028-01-01',
      bodyDigest: digestOf(body),
    })
    for (const body of ['first', 'second']) await run((tx) => registerConditions(tx, law, channel, draft(body), by))
    const known = (await load()).conditions.filter((conditions) => conditions.version === '2.0')
    expect(known).toMatchObject([{ bodyDigest: digestOf('second') }])
    expect(known[0]).not.toHaveProperty('validUntil')
  })

  test('records under the agreement of these two countries only', async () => {
    const elsewhere = { ...channel, partner: 'GE-RS' }
    expect(await run((tx) => registerConditions(tx, law, elsewhere, registration, by))).toEqual({
      ok: false,
      refusal: { code: 'law/no-agreement', agreement: 'STOP-2021' },
    })
    const none = { ...channel, agreement: 'NONE' }
    expect(await run((tx) => changeChannelState(tx, law, none, { to: 'test', reason: 'x' }, by))).toMatchObject({
      refusal: { code: 'law/no-agreement' },
    })
  })

  test('lets one of two changes at once win and the other see it', async () => {
    const partner = { ...channel, partner: 'CN-OTHER' }
    const step = () => run((tx) => changeChannelState(tx, law, partner, { to: 'test', reason: 'both at once' }, by))
    const outcomes = await Promise.all([step(), step(), step()])
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    expect(outcomes.filter(({ ok }) => !ok)).toMatchObject([
      { refusal: { code: 'law/state-change-not-allowed', from: 'test', to: 'test' } },
      { refusal: { code: 'law/state-change-not-allowed' } },
    ])
    expect(await run((tx) => listChannelSteps(tx, partner))).toHaveLength(1)
  })

  clause(['STOP-2021/9.2-r2', 'STOP-2021/F.2'], 'keeps every reading recorded and follows the latest', async () => {
    for (const reading of ['zh-single', 'ru-repeat']) {
      const act = { digest: readingDigest('STOP-2021', reading), persons }
      const recorded = await run((tx) => recordReading(tx, law, 'STOP-2021', { reading, reason: 'opinion 5', act }, by))
      expect(recorded).toEqual({ ok: true, value: act })
    }
    expect((await load()).term.recordedReading).toBe('ru-repeat')
    expect(await count('law.term_reading')).toBe(2)
    const alone = { reading: 'zh-single', reason: 'opinion 6' }
    expect(await run((tx) => recordReading(tx, law, 'STOP-2021', alone, by))).toMatchObject({
      refusal: { code: 'law/second-person-missing' },
    })
  })

  clause(['STOP-2021/9.2-r3', 'STOP-2021/9.2-r4'], 'keeps notices of the agreement and of its parent', async () => {
    const notice = { side: 'CN', notifiedOn: '2026-08-04', reference: 'Note 17' }
    const parent = { side: 'KZ', notifiedOn: '2026-01-10', reference: 'Note 9', effectiveOn: '2026-12-31' }
    for (const _ of [1, 2]) await run((tx) => recordNotice(tx, law, 'STOP-2021', notice, by))
    await run((tx) => recordNotice(tx, law, 'CN-KZ-1997', parent, by))
    expect(await load()).toMatchObject({ term: { notices: [notice] }, parentTerm: { notices: [parent] } })
    expect(await run((tx) => loadTermFacts(tx, 'CN-KZ-1997'))).toEqual({ notices: [parent] })
    expect(await run((tx) => recordNotice(tx, law, 'STOP-2021', { ...notice, reference: '' }, by))).toMatchObject({
      refusal: { code: 'law/reference-missing' },
    })
  })

  test('leaves an audit entry of each act, with digests and without names', async () => {
    await recordAll()
    await run((tx) => changeChannelState(tx, law, channel, { to: 'test', reason: 'first contact' }, by))
    const act = { digest: readingDigest('STOP-2021', 'ru-repeat'), persons }
    await run((tx) => recordReading(tx, law, 'STOP-2021', { reading: 'ru-repeat', reason: 'opinion 5', act }, by))
    const { rows } = await run((tx) => sql<{ n: number }>`select audit.number_entries(1000) as n`.execute(tx))
    expect(rows).toHaveLength(1)
    const content = await run(async (tx) =>
      (await sql<{ content: string }>`select content from audit.entry`.execute(tx)).rows
        .map((row) => row.content)
        .join('\n'),
    )
    for (const type of [
      'law-record.entered',
      'conditions.agreed',
      'conditions.approved',
      'gate.changed',
      'term-reading.recorded',
    ])
      expect(content).toContain(type)
    expect(content).toContain(version.bodyDigest)
    expect(content).not.toContain('Head of')
  })

  test('can be added to by the node, and neither changed nor removed', async () => {
    const tables = [
      'conditions',
      'working_group_decision',
      'head_approval',
      'term_reading',
      'termination_notice',
      'channel_state',
    ]
    for (const table of tables) {
      const denied = expect.objectContaining({ code: '42501' })
      await expect(
        run((tx) => sql`update ${sql.table(`law.${table}`)} set agreement = 'X'`.execute(tx)),
      ).rejects.toEqual(denied)
      await expect(run((tx) => sql`delete from ${sql.table(`law.${table}`)}`.execute(tx))).rejects.toEqual(denied)
    }
  })
})
