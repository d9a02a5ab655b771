import { sql } from 'kysely'
import { v4 as uuidv4 } from 'uuid'
import type { AuditEvent } from '../audit/index.ts'
import { type OutboundDraft, type SignedMessage, saveOutbound } from '../exchange/index.ts'
import { accept, type Decision, type Problem, refuse } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { checkClearance } from './check-clearance.ts'
import { clearanceMessageType, composeCancellation, composeClearance } from './compose-body.ts'
import type { ClearanceContext } from './context.ts'
import {
  decideEligibility,
  decideHeldRelease,
  type EligibilityDecision,
  type OfficerDecision,
} from './decide-eligibility.ts'
import { contentDigest, decideVersion } from './decide-version.ts'
import { draftMessage } from './draft-message.ts'
import { noteNumber } from './match-units.ts'
import type { Cancellation, Clearance, HomeDeclaration } from './model.ts'

/** A declaration or its cancellation as it was read from a submission. */
export type DeclarationRecord =
  | { readonly record: 'declaration'; readonly content: HomeDeclaration }
  | { readonly record: 'cancellation'; readonly content: Cancellation }

export type TakenOutcome = 'taken' | 'amended' | 'superseded' | 'unchanged' | 'refused'

export interface Taken {
  readonly outcome: TakenOutcome
  readonly problems: readonly Problem[]
  /** What the record is about at home: the key of a declaration, a leg or another record. */
  readonly about: string | undefined
}

/** What one hand-over changed: an outcome for each record, facts for the audit, and how many messages now wait. */
export interface HandOver {
  readonly taken: readonly Taken[]
  readonly events: readonly AuditEvent[]
  readonly signed: number
}

interface KnownDeclaration {
  readonly key: string
  readonly declaration_id: string
  readonly lane: string
  readonly version: number
  readonly record: DeclarationRecord['record']
  readonly content_digest: string
  readonly sent_version: number | null
  readonly stands_at_partner: boolean
}

interface Version {
  readonly record: DeclarationRecord
  readonly known: KnownDeclaration | undefined
  readonly key: string
  readonly lane: string
  readonly digest: string
  readonly decision: EligibilityDecision | { readonly outcome: 'cancelled' }
  readonly warnings: readonly Problem[]
  /** What the partner is to be told, if anything. */
  readonly message: { readonly type: string; readonly body: Clearance | Cancellation } | undefined
  /** What an officer decided about a held version. */
  readonly decided?: OfficerDecision | undefined
}

/**
 * Takes declarations into the books of this side: decides what each is against what is known and whether it may be
 * sent, and writes declaration, decision and signed message in the caller's transaction.
 *
 * A declaration that was sent and may not be sent any more is withdrawn at the partner without a reason; nothing is
 * sent about one that never was. While the channel is closed the decision stands and the message waits.
 * @param records at most one per declaration number
 * @law STOP-2021/2.1-r1, STOP-2021/2.3-r1, STOP-2021/6.4
 */
export async function takeDeclarations(
  tx: Transaction,
  context: ClearanceContext,
  records: readonly DeclarationRecord[],
): Promise<HandOver> {
  if (records.length === 0) return { taken: [], events: [], signed: 0 }
  const known = await findDeclarations(
    tx,
    context,
    records.map(({ content }) => content.declaration.id),
  )
  const versions: Version[] = []
  const taken = records.map((record): Taken => {
    const before = known.get(record.content.declaration.id)
    const digest = contentDigest(record.content)
    const decided = decideRecordVersion(before, record, digest)
    const refused = (code: string, pointer: string): Taken => ({
      outcome: 'refused',
      about: before?.key,
      problems: [{ code, pointer, facts: { version: record.content.declaration.versionId } }],
    })
    if (!decided.ok) return refused(decided.refusal.code, '/declaration/versionId')
    if (decided.value === 'unchanged' || decided.value === 'superseded')
      return { outcome: decided.value, about: before?.key, problems: [] }
    if (record.record === 'cancellation' && !before) return refused('clearance/declaration-unknown', '/declaration/id')
    const version = decideRecord(context, record, before, digest)
    versions.push(version)
    return { outcome: before ? 'amended' : 'taken', about: version.key, problems: version.warnings }
  })
  const signed = await saveVersions(tx, context, versions)
  return { taken, events: eventsOf(versions, signed), signed: signed.length }
}

async function findDeclarations(
  tx: Transaction,
  context: ClearanceContext,
  ids: readonly string[],
): Promise<ReadonlyMap<string, KnownDeclaration>> {
  // Two hand-overs of one new declaration at the same moment: the second waits and then finds the first.
  await sql`select pg_advisory_xact_lock(hashtextextended(name, 0)) from (
    select 'declaration ' || ${context.mode} || ' ' || id as name from unnest(${ids}::text[]) as i (id) order by 1) n`.execute(
    tx,
  )
  const { rows } = await sql<KnownDeclaration>`
    select key, declaration_id, lane, version, record, content_digest, sent_version, stands_at_partner
    from clearance.declaration
    where mode = ${context.mode} and declaration_id = any(${ids}::text[])
    order by declaration_id for update`.execute(tx)
  return new Map(rows.map((row) => [row.declaration_id, row]))
}

/**
 * Decides what a record is against the newest one known. A cancellation may name the very version it cancels; the
 * cancelled declaration handed over again is older than its cancellation.
 */
function decideRecordVersion(
  before: KnownDeclaration | undefined,
  { record, content }: DeclarationRecord,
  digest: string,
): ReturnType<typeof decideVersion> {
  const version = content.declaration.versionId
  if (before?.version === version && before.record !== record)
    return accept(record === 'cancellation' ? 'amendment' : 'superseded')
  return decideVersion(before && { version: before.version, contentDigest: before.content_digest }, {
    version,
    contentDigest: digest,
  })
}

function decideRecord(
  context: ClearanceContext,
  record: DeclarationRecord,
  known: KnownDeclaration | undefined,
  digest: string,
): Version {
  const base = { record, known, key: known?.key ?? uuidv4(), lane: known?.lane ?? uuidv4(), digest }
  if (record.record === 'cancellation')
    return {
      ...base,
      decision: { outcome: 'cancelled' },
      warnings: [],
      message: known?.stands_at_partner ? { type: 'CNL', body: record.content } : undefined,
    }
  const decision = decideEligibility(record.content, eligibilityContext(context))
  return { ...base, decision, ...consequenceOf(context, record.content, decision, known) }
}

function eligibilityContext(context: ClearanceContext) {
  return {
    homeCountry: context.homeCountry,
    partnerCountry: context.partnerCountry,
    checkpoints: context.conditions.checkpoints,
    reference: context.reference,
    now: context.now.toISOString(),
  }
}

/** What a decision means for the partner: a clearance or its amendment, a withdrawal, or silence. */
function consequenceOf(
  context: ClearanceContext,
  home: HomeDeclaration,
  decision: EligibilityDecision,
  known: Pick<KnownDeclaration, 'sent_version' | 'stands_at_partner'> | undefined,
): Pick<Version, 'warnings' | 'message'> {
  if (decision.outcome === 'eligible' || decision.outcome === 'partial') {
    const plain = composeClearance(decision.declaration, [])
    const { reference, conditions, now } = context
    const warnings = checkClearance(plain, reference, conditions.rules, now.toISOString())
    const type = clearanceMessageType(home.declaration.kind, known != null && known.sent_version !== null)
    return { warnings, message: { type, body: composeClearance(decision.declaration, warnings) } }
  }
  // What the partner holds stands until an officer has answered.
  if (!known?.stands_at_partner || decision.outcome === 'held') return { warnings: [], message: undefined }
  const withdrawal = composeCancellation(home, {
    statusCode: 'withdrawn',
    effectiveDateTime: context.now.toISOString(),
  })
  return { warnings: [], message: { type: 'CNL', body: withdrawal } }
}

const groundOf = ({ decision }: Version): { ground: string | null; clause: string | null } => ({
  ground: 'ground' in decision ? (decision.ground ?? null) : null,
  clause: 'clause' in decision ? (decision.clause ?? null) : null,
})

async function saveVersions(
  tx: Transaction,
  context: ClearanceContext,
  versions: readonly Version[],
): Promise<readonly SignedMessage[]> {
  if (versions.length === 0) return []
  const drafts = new Map<Version, OutboundDraft>()
  for (const version of versions) {
    const { message, key, lane } = version
    const draft = message && draftMessage(context, message.type, message.body, { subject: key, lane })
    if (draft) drafts.set(version, draft)
  }
  const signed = await saveOutbound(tx, context.identity, [...drafts.values()], context.now)
  const messageOf = new Map([...drafts.keys()].map((version, index) => [version, signed[index]?.id]))
  const at = context.now.toISOString()
  const rows = versions.map((version) => ({
    key: version.key,
    id: version.record.content.declaration.id,
    kind: version.record.content.declaration.kind,
    lane: version.lane,
    version: version.record.content.declaration.versionId,
    digest: version.digest,
    outcome: version.decision.outcome,
    ...groundOf(version),
    warnings: version.warnings,
    message: messageOf.get(version) ?? null,
    stands: version.message !== undefined && version.message.type !== 'CNL',
    waiting: version.message !== undefined && !drafts.has(version),
    record: version.record.record,
    content: JSON.stringify(version.record.content),
    leftOut: 'leftOut' in version.decision ? JSON.stringify(version.decision.leftOut) : null,
    decided: version.decided ? JSON.stringify(version.decided) : null,
  }))
  const of = <Value>(take: (row: (typeof rows)[number]) => Value) => rows.map(take)
  await sql`
    insert into clearance.declaration as d (key, mode, declaration_id, kind, lane, version, record, content_digest, outcome, ground,
      clause, warnings, sent_version, stands_at_partner, waiting, first_taken_at, changed_at)
    select key, ${context.mode}, id, kind, lane, version, record, digest, outcome, ground, clause, warnings,
      case when sent then version end, sent and stands, waiting, ${at}::timestamptz, ${at}::timestamptz
    from unnest(${of((row) => row.key)}::uuid[], ${of((row) => row.id)}::text[], ${of((row) => row.kind)}::text[],
      ${of((row) => row.lane)}::uuid[], ${of((row) => row.version)}::int[], ${of((row) => row.record)}::text[],
      ${of((row) => row.digest)}::text[], ${of((row) => row.outcome)}::text[], ${of((row) => row.ground)}::text[], ${of((row) => row.clause)}::text[],
      ${of((row) => row.warnings.length)}::int[], ${of((row) => row.message !== null)}::boolean[],
      ${of((row) => row.stands)}::boolean[],
      ${of((row) => row.waiting)}::boolean[]
    ) as r (key, id, kind, lane, version, record, digest, outcome, ground, clause, warnings, sent, stands, waiting)
    on conflict (mode, declaration_id) do update set kind = excluded.kind, version = excluded.version,
      record = excluded.record, content_digest = excluded.content_digest, outcome = excluded.outcome, ground = excluded.ground,
      clause = excluded.clause, warnings = excluded.warnings,
      sent_version = coalesce(excluded.sent_version, d.sent_version),
      stands_at_partner = case when excluded.sent_version is null then d.stands_at_partner else excluded.stands_at_partner end,
      waiting = excluded.waiting,
      changed_at = excluded.changed_at`.execute(tx)
  await sql`
    insert into clearance.declaration_version as v (declaration, version, record, content, content_digest, taken_at,
      outcome, ground, clause, left_out, decided, warnings, message)
    select key, version, record, content, digest, ${at}::timestamptz, outcome, ground, clause, left_out, decided, warnings,
      message
    from unnest(${of((row) => row.key)}::uuid[], ${of((row) => row.version)}::int[], ${of((row) => row.record)}::text[],
      ${of((row) => row.content)}::jsonb[], ${of((row) => row.digest)}::text[], ${of((row) => row.outcome)}::text[],
      ${of((row) => row.ground)}::text[], ${of((row) => row.clause)}::text[], ${of((row) => row.leftOut)}::jsonb[],
      ${of((row) => row.decided)}::jsonb[], ${of((row) => JSON.stringify(row.warnings))}::jsonb[],
      ${of((row) => row.message)}::uuid[]
    ) as r (key, version, record, content, digest, outcome, ground, clause, left_out, decided, warnings, message)
    on conflict (declaration, version, record) do update set outcome = excluded.outcome, ground = excluded.ground,
      clause = excluded.clause, left_out = excluded.left_out, decided = excluded.decided,
      warnings = excluded.warnings, message = coalesce(excluded.message, v.message)`.execute(tx)
  await saveUnits(tx, versions)
  return signed
}

/** One thing a train finds a declaration by. */
export interface NamedUnit {
  readonly kind: 'container' | 'wagon' | 'note'
  readonly unit: string
}

/** Which containers, wagons and consignment notes a declaration names, so that a train finds it. */
export function unitsOf({
  consignment,
  equipment,
  wagons,
  items,
}: Pick<Clearance, 'consignment' | 'equipment' | 'wagons' | 'items'>): readonly NamedUnit[] {
  const named = (kind: NamedUnit['kind'], units: readonly string[]) =>
    [...new Set(units)].map((unit): NamedUnit => ({ kind, unit }))
  return [
    ...named('container', [
      ...equipment.map(({ id }) => id),
      ...items.flatMap(({ equipmentIds = [] }) => equipmentIds),
    ]),
    ...named('wagon', [
      ...wagons.map(({ number }) => number),
      ...equipment.flatMap(({ onWagon = [] }) => onWagon),
      ...items.flatMap(({ wagonNumbers = [] }) => wagonNumbers),
    ]),
    ...named(
      'note',
      (consignment.notes ?? []).map(({ number }) => noteNumber(number)),
    ),
  ]
}

async function saveUnits(tx: Transaction, versions: readonly Version[]): Promise<void> {
  const amended = versions.flatMap(({ known, key }) => (known ? [key] : []))
  if (amended.length > 0)
    await sql`delete from clearance.declaration_unit where declaration = any(${amended}::uuid[])`.execute(tx)
  const units = versions.flatMap(({ key, record }) =>
    record.record === 'declaration' ? unitsOf(record.content).map((each) => ({ key, ...each })) : [],
  )
  if (units.length === 0) return
  await sql`
    insert into clearance.declaration_unit (declaration, kind, unit)
    select * from unnest(${units.map(({ key }) => key)}::uuid[], ${units.map(({ kind }) => kind)}::text[],
      ${units.map(({ unit }) => unit)}::text[]) on conflict do nothing`.execute(tx)
}

function eventsOf(versions: readonly Version[], signed: readonly SignedMessage[]): AuditEvent[] {
  return [
    ...versions.map((version): AuditEvent => {
      const { ground } = groundOf(version)
      return {
        type: 'declaration.decided',
        subject: version.key,
        facts: {
          version: String(version.record.content.declaration.versionId),
          outcome: version.decision.outcome,
          ...(ground && { ground }),
        },
      }
    }),
    ...signed.map(({ id, type, mode }): AuditEvent => ({ type: 'message.signed', subject: id, facts: { type, mode } })),
  ]
}

interface VersionRow {
  readonly key: string
  readonly declaration_id: string
  readonly lane: string
  readonly version: number
  readonly content_digest: string
  readonly sent_version: number | null
  readonly stands_at_partner: boolean
  readonly outcome: string
  readonly waiting: boolean
  readonly record: 'declaration' | 'cancellation'
  readonly content: HomeDeclaration | Cancellation
  readonly decided: OfficerDecision | null
}

const currentVersions = sql`
  select d.key, d.declaration_id, d.lane, d.version, d.content_digest, d.sent_version, d.stands_at_partner, d.outcome, d.waiting,
    v.record, v.content, v.decided
  from clearance.declaration d join clearance.declaration_version v
    on v.declaration = d.key and v.version = d.version and v.record = d.record`

export type HeldRefusal =
  | { readonly code: 'clearance/declaration-unknown'; readonly key: string }
  | { readonly code: 'clearance/declaration-not-held'; readonly key: string; readonly outcome: string }

/**
 * Lets an officer decide a held declaration: with the open question answered the rules run again, so that a release
 * never lets out what law forbids.
 */
export async function decideHeld(
  tx: Transaction,
  context: ClearanceContext,
  key: string,
  decided: OfficerDecision,
): Promise<Decision<{ outcome: string; events: readonly AuditEvent[] }, HeldRefusal>> {
  const { rows } =
    await sql<VersionRow>`${currentVersions} where d.key = ${key} and d.mode = ${context.mode} for update of d`.execute(
      tx,
    )
  const row = rows[0]
  if (!row) return refuse({ code: 'clearance/declaration-unknown' as const, key })
  if (row.outcome !== 'held' || row.record !== 'declaration')
    return refuse({ code: 'clearance/declaration-not-held' as const, key, outcome: row.outcome })
  const home = row.content as HomeDeclaration
  const decision = decideHeldRelease(home, decided, eligibilityContext(context))
  const version: Version = {
    record: { record: 'declaration', content: home },
    known: row,
    key,
    lane: row.lane,
    digest: row.content_digest,
    decision,
    decided,
    ...consequenceOf(context, home, decision, row),
  }
  const signed = await saveVersions(tx, context, [version])
  return accept({
    outcome: decision.outcome,
    events: [
      { type: 'held.decided', subject: key, facts: { outcome: decision.outcome, decision: decided.decision } },
      ...eventsOf([version], signed),
    ],
  })
}

/**
 * Makes the messages that waited for the channel: what was decided while it was closed is signed now, under the
 * conditions in force now.
 * @returns how many messages were signed
 */
export async function signWaiting(
  tx: Transaction,
  context: ClearanceContext,
  limit: number,
): Promise<{ readonly looked: number; readonly signed: number; readonly events: readonly AuditEvent[] }> {
  if (!context.channel || !context.partner || context.channel.mode !== context.mode)
    return { looked: 0, signed: 0, events: [] }
  const { rows } = await sql<VersionRow>`${currentVersions}
    where d.waiting and d.mode = ${context.mode} order by d.changed_at limit ${limit} for update of d skip locked`.execute(
    tx,
  )
  const versions = rows.map((row): Version => {
    const base = { known: row, key: row.key, lane: row.lane, digest: row.content_digest }
    if (row.record === 'cancellation') {
      const content = row.content as Cancellation
      return {
        ...base,
        record: { record: 'cancellation', content },
        decision: { outcome: 'cancelled' },
        warnings: [],
        message: row.stands_at_partner ? { type: 'CNL', body: content } : undefined,
      }
    }
    const content = row.content as HomeDeclaration
    const decision = row.decided
      ? decideHeldRelease(content, row.decided, eligibilityContext(context))
      : decideEligibility(content, eligibilityContext(context))
    return {
      ...base,
      record: { record: 'declaration', content },
      decision,
      decided: row.decided ?? undefined,
      ...consequenceOf(context, content, decision, row),
    }
  })
  const signed = await saveVersions(tx, context, versions)
  return { looked: rows.length, signed: signed.length, events: eventsOf([], signed) }
}
