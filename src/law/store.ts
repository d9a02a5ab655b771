import { sql } from 'kysely'
import { recordEvents } from '../audit/index.ts'
import { type AdministrationId, type Decision, type Instant, type PlainDate, refuse } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { TermFacts, TerminationNotice } from './compute-term.ts'
import { type ExchangeBasis, findBasis } from './decide-gate.ts'
import {
  type ApprovalRefusal,
  type ConditionsRegistration,
  type DecisionRecordRefusal,
  decideApproval,
  decideNotice,
  decideReading,
  decideRegistration,
  decideWorkingGroupRecord,
  type NoticeRefusal,
  type ReadingRefusal,
  type RegistrationRefusal,
} from './decide-records.ts'
import {
  decideStateChange,
  type StateChanged,
  type StateChangeRefusal,
  type StateChangeWanted,
} from './decide-state-change.ts'
import { digestOf } from './digest.ts'
import type {
  ActPerson,
  ChannelState,
  ConditionsVersion,
  GateFacts,
  HeadApproval,
  TwoPersonAct,
  WorkingGroupDecision,
} from './gate-facts.ts'
import type { Law } from './law.ts'

/** The exchange with one partner under one agreement. */
export interface Channel {
  readonly home: AdministrationId
  readonly partner: AdministrationId
  readonly agreement: string
}

/** Who puts something on record, and when: the instant, and the legal day it falls on at home. */
export interface RecordedBy {
  readonly actor: string
  readonly purpose: string
  readonly at: Instant
  readonly on: PlainDate
}

/** One step in the history of a channel. */
export interface ChannelStep extends StateChanged {
  readonly number: number
  readonly changedAt: Instant
  readonly changedBy: string
}

type NoAgreement = { readonly code: 'law/no-agreement'; readonly agreement: string }

interface FactsRow {
  readonly state: ChannelState | null
  readonly decisions: readonly WorkingGroupDecision[]
  readonly conditions: readonly ConditionsVersion[]
  readonly approvals: readonly HeadApproval[]
  readonly reading: string | null
  readonly notices: readonly TerminationNotice[]
  readonly parent_reading: string | null
  readonly parent_notices: readonly TerminationNotice[]
}

/**
 * Loads everything on record that the gate with one partner rests on, in one query.
 *
 * Why: the gate decides on one moment; two queries could see two.
 */
export async function loadGateFacts(tx: Transaction, law: Law, channel: Channel): Promise<GateFacts> {
  const { home, partner } = channel
  const instrument = law.findInstrument(channel.agreement)
  const agreement = instrument?.id ?? channel.agreement
  const parent = instrument?.parent?.instrument ?? ''
  const { rows } = await sql<FactsRow>`
    select
      (select to_state from law.channel_state where partner = ${partner} and agreement = ${agreement}
        order by number desc limit 1) as state,
      (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('reference', reference, 'kind', kind,
          'decidedOn', decided_on, 'version', version, 'annex', annex, 'digest', digest)) order by decided_on, reference), '[]')
        from law.working_group_decision where agreement = ${agreement}) as decisions,
      (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('version', version, 'bodyDigest', body_digest,
          'annexes', annexes, 'validFrom', valid_from, 'validUntil', valid_until)) order by valid_from, version), '[]')
        from (select distinct on (version) * from law.conditions where agreement = ${agreement}
          order by version, revision desc) as latest) as conditions,
      (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('version', version, 'annex', nullif(annex, ''),
          'side', side, 'person', person, 'post', post, 'approvedOn', approved_on, 'digest', digest))
          order by approved_on, side, annex), '[]')
        from law.head_approval where agreement = ${agreement}) as approvals,
      ${readingOf(agreement)} as reading, ${noticesOf(agreement)} as notices,
      ${readingOf(parent)} as parent_reading, ${noticesOf(parent)} as parent_notices`.execute(tx)
  const row = rows[0]!
  return {
    home,
    partner,
    agreement,
    state: row.state ?? 'closed',
    decisions: row.decisions,
    conditions: row.conditions,
    approvals: row.approvals,
    term: termFacts(row.reading, row.notices),
    ...(parent && { parentTerm: termFacts(row.parent_reading, row.parent_notices) }),
  }
}

/** Loads what is on record about the term of one instrument. */
export async function loadTermFacts(tx: Transaction, agreement: string): Promise<TermFacts> {
  const { rows } = await sql<Pick<FactsRow, 'reading' | 'notices'>>`
    select ${readingOf(agreement)} as reading, ${noticesOf(agreement)} as notices`.execute(tx)
  return termFacts(rows[0]!.reading, rows[0]!.notices)
}

/** Registers a version of the Technical Conditions, or its new content; the same again changes nothing. */
export async function registerConditions(
  tx: Transaction,
  law: Law,
  channel: Channel,
  wanted: ConditionsRegistration,
  by: RecordedBy,
): Promise<Decision<ConditionsVersion, RegistrationRefusal | NoAgreement>> {
  return onBasis(tx, law, channel, async (basis, facts) => {
    const decision = decideRegistration(basis, facts, wanted, by.on)
    if (!decision.ok) return decision
    const { version, bodyDigest, annexes, validFrom, validUntil } = decision.value
    const before = facts.conditions.find((known) => known.version === version)
    if (before && digestOf(before) === digestOf(decision.value)) return decision
    await sql`
      insert into law.conditions (agreement, version, revision, body_digest, annexes, valid_from, valid_until, recorded_at, recorded_by)
      select ${basis.instrument.id}, ${version}, coalesce(max(revision), 0) + 1, ${bodyDigest}, ${JSON.stringify(annexes)}::jsonb,
        ${validFrom}::date, ${validUntil ?? null}::date, ${by.at}::timestamptz, ${by.actor}
      from law.conditions where agreement = ${basis.instrument.id} and version = ${version}`.execute(tx)
    await recordEvents(tx, by, [
      {
        type: 'law-record.entered',
        subject: subjectOf(basis, version),
        facts: { agreement: basis.instrument.id, kind: 'conditions', digest: bodyDigest, on: validFrom },
      },
    ])
    return decision
  })
}

/** Records a decision of the working group; the same again changes nothing. */
export async function recordWorkingGroupDecision(
  tx: Transaction,
  law: Law,
  channel: Channel,
  decision: WorkingGroupDecision,
  by: RecordedBy,
): Promise<Decision<{ readonly known: boolean }, DecisionRecordRefusal | NoAgreement>> {
  return onBasis(tx, law, channel, async (basis, facts) => {
    const decided = decideWorkingGroupRecord(basis, facts, decision, by.on)
    if (!decided.ok || decided.value.known) return decided
    const { reference, kind, decidedOn, version, annex, digest } = decision
    await sql`
      insert into law.working_group_decision (agreement, reference, kind, decided_on, version, annex, digest, recorded_at, recorded_by)
      values (${basis.instrument.id}, ${reference}, ${kind}, ${decidedOn}::date, ${version ?? null}, ${annex ?? null},
        ${digest ?? null}, ${by.at}::timestamptz, ${by.actor})`.execute(tx)
    const { id } = basis.instrument
    await recordEvents(tx, by, [
      kind === 'conditions'
        ? {
            type: 'conditions.agreed',
            subject: subjectOf(basis, version),
            facts: { agreement: id, conditions: version, digest, on: decidedOn },
          }
        : {
            type: 'law-record.entered',
            subject: subjectOf(basis, version),
            facts: { agreement: id, kind: `working-group-${kind}`, digest, on: decidedOn },
          },
    ])
    return decided
  })
}

/** Records the approval of one side's head. The name stays in the table; the audit entry holds side and digest. */
export async function recordApproval(
  tx: Transaction,
  law: Law,
  channel: Channel,
  approval: HeadApproval,
  by: RecordedBy,
): Promise<Decision<HeadApproval, ApprovalRefusal | NoAgreement>> {
  return onBasis(tx, law, channel, async (basis, facts) => {
    const decision = decideApproval(basis, facts, approval, by.on)
    if (!decision.ok) return decision
    const { version, annex, side, person, post, approvedOn, digest } = approval
    await sql`
      insert into law.head_approval (agreement, version, annex, side, digest, person, post, approved_on, recorded_at, recorded_by)
      values (${basis.instrument.id}, ${version}, ${annex ?? ''}, ${side}, ${digest}, ${person}, ${post}, ${approvedOn}::date,
        ${by.at}::timestamptz, ${by.actor})`.execute(tx)
    await recordEvents(tx, by, [
      {
        type: 'conditions.approved',
        subject: subjectOf(basis, version),
        facts: { agreement: basis.instrument.id, side, conditions: version, digest, on: approvedOn },
      },
    ])
    return decision
  })
}

/** Changes the state of the channel with a partner and adds the step to its history. */
export async function changeChannelState(
  tx: Transaction,
  law: Law,
  channel: Channel,
  wanted: StateChangeWanted,
  by: RecordedBy,
): Promise<Decision<StateChanged, StateChangeRefusal>> {
  return onBasis<StateChanged, StateChangeRefusal>(tx, law, channel, async (basis, facts) => {
    const decision = decideStateChange(law, facts, wanted, by.on)
    if (!decision.ok) return decision
    const { from, to, reason, act } = decision.value
    await sql`
      insert into law.channel_state (partner, agreement, number, from_state, to_state, reason, digest, persons, changed_at, changed_by)
      select ${channel.partner}, ${basis.instrument.id}, coalesce(max(number), 0) + 1, ${from}, ${to}, ${reason},
        ${act?.digest ?? null}, ${act ? JSON.stringify(act.persons) : null}::jsonb, ${by.at}::timestamptz, ${by.actor}
      from law.channel_state where partner = ${channel.partner} and agreement = ${basis.instrument.id}`.execute(tx)
    await recordEvents(tx, by, [
      {
        type: 'gate.changed',
        subject: channel.partner,
        facts: {
          partner: channel.partner,
          agreement: basis.instrument.id,
          from,
          to,
          on: by.on,
          ...(act && { officers: idsOf(act) }),
        },
      },
    ])
    return decision
  })
}

/** Lists how the channel with a partner came to its state, first step first. */
export async function listChannelSteps(tx: Transaction, channel: Channel): Promise<readonly ChannelStep[]> {
  const { rows } = await sql<{
    number: number
    from_state: ChannelState
    to_state: ChannelState
    reason: string
    digest: string | null
    persons: readonly ActPerson[] | null
    changed_at: Instant
    changed_by: string
  }>`
    select number, from_state, to_state, reason, digest, persons, changed_at, changed_by from law.channel_state
    where partner = ${channel.partner} and agreement = ${channel.agreement} order by number`.execute(tx)
  return rows.map((row) => ({
    number: row.number,
    from: row.from_state,
    to: row.to_state,
    reason: row.reason,
    ...(row.digest !== null && row.persons !== null && { act: { digest: row.digest, persons: row.persons } }),
    changedAt: row.changed_at,
    changedBy: row.changed_by,
  }))
}

/** Records a notice of termination; a note already on record changes nothing. */
export async function recordNotice(
  tx: Transaction,
  law: Law,
  agreement: string,
  notice: TerminationNotice,
  by: RecordedBy,
): Promise<Decision<TerminationNotice, NoticeRefusal>> {
  const instrument = law.instrument(agreement)
  await lockRecord(tx, instrument.id)
  const decision = decideNotice(instrument, notice, by.on)
  if (!decision.ok) return decision
  const { side, reference, notifiedOn, effectiveOn } = notice
  const { numAffectedRows } = await sql`
    insert into law.termination_notice (agreement, reference, side, notified_on, effective_on, recorded_at, recorded_by)
    values (${instrument.id}, ${reference}, ${side}, ${notifiedOn}::date, ${effectiveOn ?? null}::date, ${by.at}::timestamptz,
      ${by.actor}) on conflict do nothing`.execute(tx)
  if (numAffectedRows === 0n) return decision
  await recordEvents(tx, by, [
    {
      type: 'law-record.entered',
      subject: instrument.id,
      facts: { agreement: instrument.id, kind: 'notice', side, on: notifiedOn },
    },
  ])
  return decision
}

/** Records the reading of an instrument's term that is followed from now on; the latest one counts. */
export async function recordReading(
  tx: Transaction,
  law: Law,
  agreement: string,
  wanted: { readonly reading: string; readonly reason: string; readonly act?: TwoPersonAct },
  by: RecordedBy,
): Promise<Decision<TwoPersonAct, ReadingRefusal>> {
  const instrument = law.instrument(agreement)
  await lockRecord(tx, instrument.id)
  const { reading, reason } = wanted
  const decision = decideReading(instrument, reading, reason, wanted.act)
  if (!decision.ok) return decision
  const { digest, persons } = decision.value
  await sql`
    insert into law.term_reading (agreement, number, reading, reason, digest, persons, recorded_at, recorded_by)
    select ${instrument.id}, coalesce(max(number), 0) + 1, ${reading}, ${reason}, ${digest}, ${JSON.stringify(persons)}::jsonb,
      ${by.at}::timestamptz, ${by.actor}
    from law.term_reading where agreement = ${instrument.id}`.execute(tx)
  await recordEvents(tx, by, [
    {
      type: 'term-reading.recorded',
      subject: instrument.id,
      facts: { agreement: instrument.id, reading, on: by.on, officers: idsOf(decision.value) },
    },
  ])
  return decision
}

/** Decides on what is on record, with nobody else recording under the same agreement meanwhile. */
async function onBasis<Accepted, Refused>(
  tx: Transaction,
  law: Law,
  channel: Channel,
  work: (basis: ExchangeBasis, facts: GateFacts) => Promise<Decision<Accepted, Refused>>,
): Promise<Decision<Accepted, Refused | NoAgreement>> {
  const basis = findBasis(law, channel)
  if (!basis) return refuse({ code: 'law/no-agreement', agreement: channel.agreement })
  await lockRecord(tx, basis.instrument.id)
  return work(basis, await loadGateFacts(tx, law, channel))
}

async function lockRecord(tx: Transaction, agreement: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`law ${agreement}`}, 0))`.execute(tx)
}

function readingOf(agreement: string) {
  return sql`(select reading from law.term_reading where agreement = ${agreement} order by number desc limit 1)`
}

function noticesOf(agreement: string) {
  return sql`(select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('side', side, 'notifiedOn', notified_on,
      'reference', reference, 'effectiveOn', effective_on)) order by notified_on, reference), '[]')
    from law.termination_notice where agreement = ${agreement})`
}

/** What audit entries are about: the agreement, or one version of its Technical Conditions. */
function subjectOf({ instrument }: ExchangeBasis, version: string | undefined): string {
  return version === undefined ? instrument.id : `${instrument.id} ${version}`
}

function termFacts(reading: string | null, notices: readonly TerminationNotice[]): TermFacts {
  return { ...(reading !== null && { recordedReading: reading }), notices }
}

function idsOf({ persons }: TwoPersonAct): string {
  return persons.map(({ id }) => id).join(', ')
}
