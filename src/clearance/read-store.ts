import { sql } from 'kysely'
import type { Mode } from '../exchange/index.ts'
import type { Instant, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import {
  findHomeCandidates,
  findReceivedCandidates,
  findTrips,
  withNotes,
  withPartnerNames,
} from './candidate-store.ts'
import { type Balance, type Draw, foldBalance } from './fold-balance.ts'
import { type MatchedUnit, matchUnits, type UnitCounts } from './match-units.ts'
import type { Cancellation, Clearance, HomeDeclaration, Leg, RailwayList } from './model.ts'
import type { Reference } from './reference/index.ts'

/** Where a row stands in a list that is sorted by an instant: rows of one batch share theirs, so the key decides. */
export interface RowPlace {
  readonly at: Instant
  readonly key: string
}

/** A page of a list, newest first: the rows that stand after a row of the page before. */
export interface Page {
  readonly limit: number
  readonly before?: RowPlace | undefined
}

export interface SubmissionRow {
  readonly id: string
  readonly mode: Mode
  readonly channel: string
  readonly source: string
  readonly fileName: string | null
  readonly startedAt: Instant
  readonly finishedAt: Instant | null
  readonly failure: string | null
  readonly bytes: number
  readonly digest: string | null
  readonly records: number
  readonly taken: number
  readonly unchanged: number
  readonly refused: number
}

const submissions = sql`
  select id, mode, channel, source, file_name as "fileName", started_at as "startedAt", finished_at as "finishedAt",
    failure, bytes::float8 as bytes, digest, records, taken, unchanged, refused from clearance.submission`

/** Submissions, newest first; `before` is the id of one of them, for ids of version 7 rise with time. */
export async function listSubmissions(
  tx: Transaction,
  page: { readonly limit: number; readonly before?: string | undefined },
): Promise<readonly SubmissionRow[]> {
  const { before = null } = page
  const { rows } = await sql<SubmissionRow>`${submissions}
    where ${before}::uuid is null or id < ${before}::uuid order by id desc limit ${page.limit}`.execute(tx)
  return rows
}

export async function findSubmission(tx: Transaction, id: string): Promise<SubmissionRow | undefined> {
  return (await sql<SubmissionRow>`${submissions} where id = ${id}`.execute(tx)).rows[0]
}

export interface SubmissionRecordRow {
  readonly submission: string
  readonly position: number
  readonly line: number | null
  readonly format: string
  readonly record: string | null
  readonly outcome: string
  readonly problems: readonly Problem[] | null
  readonly notes: readonly Problem[] | null
  readonly digest: string
  readonly about: string | null
}

/** The records of a submission from a position on, with what became of each. */
export async function listSubmissionRecords(
  tx: Transaction,
  filter: { submission: string; after: number; limit: number; outcome?: string | undefined },
): Promise<readonly SubmissionRecordRow[]> {
  const { rows } = await sql<SubmissionRecordRow>`
    select submission, position, line, format, record, outcome, problems, notes, digest, about
    from clearance.submission_record
    where submission = ${filter.submission} and position > ${filter.after}
      and (${filter.outcome ?? null}::text is null or outcome = ${filter.outcome ?? null})
    order by position limit ${filter.limit}`.execute(tx)
  return rows
}

/** The bytes of one record exactly as they were handed over. */
export async function findOriginal(
  tx: Transaction,
  submission: string,
  position: number,
): Promise<{ original: Buffer; digest: string; format: string } | undefined> {
  const { rows } = await sql<{ original: Buffer; digest: string; format: string }>`
    select original, digest, format from clearance.submission_record
    where submission = ${submission} and position = ${position}`.execute(tx)
  return rows[0]
}

export interface DeclarationRow {
  readonly key: string
  readonly mode: Mode
  readonly declarationId: string
  readonly kind: 'EX' | 'TR'
  readonly version: number
  readonly outcome: string
  readonly ground: string | null
  readonly clause: string | null
  readonly warnings: number
  readonly sentVersion: number | null
  readonly waiting: boolean
  readonly changedAt: Instant
}

const declarations = sql`
  select key, mode, declaration_id as "declarationId", kind, version, outcome, ground, clause, warnings,
    sent_version as "sentVersion", waiting, changed_at as "changedAt" from clearance.declaration`

export interface DeclarationFilter extends Page {
  readonly outcome?: string | undefined
  readonly declarationId?: string | undefined
  readonly unit?: string | undefined
}

/** Every declaration of this side with its decision, ground and clause: nothing vanishes. */
export async function listDeclarations(tx: Transaction, filter: DeclarationFilter): Promise<readonly DeclarationRow[]> {
  const { outcome = null, declarationId = null, unit = null } = filter
  const { before } = filter
  const { rows } = await sql<DeclarationRow>`${declarations}
    where (${outcome}::text is null or outcome = ${outcome})
      and (${declarationId}::text is null or declaration_id = ${declarationId})
      and (${unit}::text is null or key in (select declaration from clearance.declaration_unit where unit = ${unit}))
      and (${before?.key ?? null}::uuid is null
        or (changed_at, key) < (${before?.at ?? null}::timestamptz, ${before?.key ?? null}::uuid))
    order by changed_at desc, key desc limit ${filter.limit}`.execute(tx)
  return rows
}

export interface DeclarationVersionRow {
  readonly version: number
  readonly record: string
  readonly content: HomeDeclaration | Cancellation
  readonly contentDigest: string
  readonly takenAt: Instant
  readonly outcome: string
  readonly ground: string | null
  readonly clause: string | null
  readonly leftOut: unknown
  readonly decided: unknown
  readonly warnings: readonly Problem[]
  readonly message: string | null
}

/** One declaration with all its versions and, for a temporary one, the balance of what trains drew from it. */
export async function findDeclaration(
  tx: Transaction,
  by: { key: string } | { mode: Mode; declarationId: string },
): Promise<
  (DeclarationRow & { versions: readonly DeclarationVersionRow[]; balance: Balance | undefined }) | undefined
> {
  const where =
    'key' in by ? sql`where key = ${by.key}` : sql`where mode = ${by.mode} and declaration_id = ${by.declarationId}`
  const row = (await sql<DeclarationRow>`${declarations} ${where}`.execute(tx)).rows[0]
  if (!row) return undefined
  const versions = await sql<DeclarationVersionRow>`
    select version, record, content, content_digest as "contentDigest", taken_at as "takenAt", outcome, ground, clause,
      left_out as "leftOut", decided, warnings, message
    from clearance.declaration_version where declaration = ${row.key} order by version desc`.execute(tx)
  const newest = versions.rows.find(({ record }) => record === 'declaration')?.content as HomeDeclaration | undefined
  const balance = newest?.declaration.temporary ? foldBalance(newest, await findDraws(tx, row.key)) : undefined
  return { ...row, versions: versions.rows, balance }
}

/** What trains drew from a temporary declaration so far. */
export async function findDraws(tx: Transaction, declaration: string): Promise<readonly Draw[]> {
  const { rows } = await sql<Draw>`
    select w.leg, trim_scale(w.net_mass)::text as "netMass", w.units, w.unweighed_units as "unweighedUnits",
      l.departed_at as "departedAt"
    from clearance.draw w join clearance.leg l on l.key = w.leg
    where w.declaration = ${declaration} order by l.departed_at nulls last, l.key`.execute(tx)
  return rows
}

export interface ReceivedRow {
  readonly key: string
  readonly partner: string
  readonly mode: Mode
  readonly declarationId: string
  readonly kind: 'EX' | 'TR'
  readonly version: number
  readonly state: 'shown' | 'cancelled'
  readonly gap: boolean
  readonly message: string
  readonly warnings: number
  readonly receivedAt: Instant
  readonly usedAt: Instant | null
}

/** Some message of the lane before the one that is shown has not come yet. */
const hasGap = sql`exists (
  select 1 from exchange.inbound i where i.id = received.message and i.partner = received.partner and i.mode = received.mode
    and i.seq - 1 > (select count(distinct b.seq) from exchange.inbound b where b.lane = i.lane and b.epoch = i.epoch
      and b.seq < i.seq and b.partner = i.partner and b.mode = i.mode))`

const received = sql`
  select key, partner, mode, declaration_id as "declarationId", kind, version, state, message, warnings,
    ${hasGap} as gap, received_at as "receivedAt", used_at as "usedAt" from clearance.received`

export async function listReceived(
  tx: Transaction,
  filter: Page & { mode?: Mode | undefined; declarationId?: string | undefined; unit?: string | undefined },
): Promise<readonly ReceivedRow[]> {
  const { mode = null, declarationId = null, unit = null } = filter
  const { before } = filter
  const { rows } = await sql<ReceivedRow>`${received}
    where (${mode}::text is null or mode = ${mode})
      and (${declarationId}::text is null or declaration_id = ${declarationId})
      and (${unit}::text is null or key in (select received from clearance.received_unit where unit = ${unit}))
      and (${before?.key ?? null}::uuid is null
        or (received_at, key) < (${before?.at ?? null}::timestamptz, ${before?.key ?? null}::uuid))
    order by received_at desc, key desc limit ${filter.limit}`.execute(tx)
  return rows
}

export interface ReceivedVersionRow {
  readonly version: number
  readonly message: string
  readonly content: Clearance | Cancellation
  readonly warnings: readonly Problem[]
  readonly receivedAt: Instant
}

export async function findReceived(
  tx: Transaction,
  key: string,
): Promise<(ReceivedRow & { versions: readonly ReceivedVersionRow[] }) | undefined> {
  const row = (await sql<ReceivedRow>`${received} where key = ${key}`.execute(tx)).rows[0]
  if (!row) return undefined
  const versions = await sql<ReceivedVersionRow>`
    select version, message, content, warnings, received_at as "receivedAt" from clearance.received_version
    where received = ${key} order by version desc, received_at desc`.execute(tx)
  return { ...row, versions: versions.rows }
}

export interface DefectiveRow {
  readonly partner: string
  readonly mode: Mode
  readonly message: string
  readonly type: string
  readonly quarantined: boolean
  readonly problems: readonly Problem[]
  readonly receivedAt: Instant
}

/** What partners sent that cannot be used: the post sees that it came and what is wrong with it. */
export async function listDefective(tx: Transaction, limit: number): Promise<readonly DefectiveRow[]> {
  const { rows } = await sql<DefectiveRow>`
    select partner, mode, message, type, quarantined, problems, received_at as "receivedAt" from clearance.defective
    order by received_at desc limit ${limit}`.execute(tx)
  return rows
}

/** An arrival, a discrepancy, a reloading or a consignment note, of this side or of a partner. */
export interface RailRecordRow {
  readonly key: string
  readonly mode: Mode
  readonly partner: string | null
  readonly record: 'arrival' | 'discrepancy' | 'reloading' | 'consignment-note'
  readonly content: unknown
  /** The message that told the partner of it, or that it came by. */
  readonly message: string | null
  readonly takenAt: Instant
}

const railRecords = sql`select key, mode, partner, record, content, message, taken_at as "takenAt" from clearance.rail_record`

export async function listRailRecords(
  tx: Transaction,
  filter: Page & { direction: 'home' | 'partner'; mode?: Mode | undefined; record?: string | undefined },
): Promise<readonly RailRecordRow[]> {
  const { direction, mode = null, record = null, before } = filter
  const { rows } = await sql<RailRecordRow>`${railRecords}
    where direction = ${direction} and (${mode}::text is null or mode = ${mode})
      and (${record}::text is null or record = ${record})
      and (${before?.key ?? null}::uuid is null
        or (taken_at, key) < (${before?.at ?? null}::timestamptz, ${before?.key ?? null}::uuid))
    order by taken_at desc, key desc limit ${filter.limit}`.execute(tx)
  return rows
}

export async function findRailRecord(tx: Transaction, key: string): Promise<RailRecordRow | undefined> {
  return (await sql<RailRecordRow>`${railRecords} where key = ${key}`.execute(tx)).rows[0]
}

export interface LegRow {
  readonly key: string
  readonly mode: Mode
  /** carrier: the railway's list. customs: our own departure. partner: the other side's DEP. */
  readonly source: 'carrier' | 'customs' | 'partner'
  readonly partner: string | null
  readonly listVersion: number
  readonly leg: Leg
  readonly plannedAt: Instant | null
  readonly departedAt: Instant | null
  readonly arrivedAt: Instant | null
  readonly closedAt: Instant | null
  readonly departureMessage: string | null
  /** When it left, else when it is to leave, else when it last changed: what lists are sorted by. */
  readonly sortedAt: Instant
}

export interface LegCounts extends UnitCounts {
  /** Units with a warning on the list. */
  readonly warned: number
}

const sortedAt = sql`date_trunc('milliseconds', coalesce(departed_at, planned_at, changed_at))`
const legs = sql`
  select key, mode, source, partner, list_version as "listVersion", leg, planned_at as "plannedAt",
    departed_at as "departedAt", arrived_at as "arrivedAt", closed_at as "closedAt",
    departure_message as "departureMessage", ${sortedAt} as "sortedAt" from clearance.leg`

export async function listLegs(
  tx: Transaction,
  reference: Reference,
  filter: Page & { mode?: Mode | undefined; source?: string | undefined; open?: boolean | undefined },
): Promise<ReadonlyArray<LegRow & LegCounts>> {
  const { mode = null, source = null, open = null } = filter
  const { before } = filter
  const { rows } = await sql<LegRow>`${legs}
    where (${mode}::text is null or mode = ${mode}) and (${source}::text is null or source = ${source})
      and (${open}::boolean is null or (closed_at is null) = ${open})
      and (${before?.key ?? null}::uuid is null
        or (${sortedAt}, key) < (${before?.at ?? null}::timestamptz, ${before?.key ?? null}::uuid))
    order by ${sortedAt} desc, key desc limit ${filter.limit}`.execute(tx)
  const counted: Array<LegRow & LegCounts> = []
  for (const row of rows) counted.push({ ...row, ...(await countUnits(tx, reference, row)).counts })
  return counted
}

export interface LegUnit extends MatchedUnit {
  readonly warnings: readonly Problem[]
  /** Keys of the declarations of this side that belong to the unit, and of the partners' clearances. */
  readonly declarations: readonly string[]
  readonly received: readonly string[]
}

/** One leg with its units, each with or without data, from our own books and from what partners sent. */
export async function findLeg(
  tx: Transaction,
  reference: Reference,
  key: string,
): Promise<(LegRow & LegCounts & { units: readonly LegUnit[]; list: RailwayList }) | undefined> {
  const row = (await sql<LegRow>`${legs} where key = ${key}`.execute(tx)).rows[0]
  if (!row) return undefined
  const { counts, units, list } = await countUnits(tx, reference, row)
  return { ...row, ...counts, units, list }
}

async function countUnits(
  tx: Transaction,
  reference: Reference,
  row: LegRow,
): Promise<{ counts: LegCounts; units: readonly LegUnit[]; list: RailwayList }> {
  const { rows } = await sql<{ content: RailwayList; warnings: readonly Problem[] }>`
    select content, warnings from clearance.leg_list where leg = ${row.key} and list_version = ${row.listVersion}`.execute(
    tx,
  )
  const list = rows[0]?.content ?? { leg: row.leg, wagons: [], containers: [] }
  const warnings = rows[0]?.warnings ?? []
  const trips = await findTrips(tx, row.mode, list)
  const train =
    row.source === 'carrier'
      ? await withPartnerNames(tx, row.mode, list, trips)
      : row.source === 'customs'
        ? await withNotes(tx, row.mode, list)
        : list
  const home = await findHomeCandidates(tx, row.mode, reference, train, trips)
  const theirs = await findReceivedCandidates(tx, row.mode, train, trips)
  // On our own trains data are what we sent; on theirs, what they sent us.
  const sent = home.filter((candidate) => candidate.sent)
  const matched = matchUnits(train, [...sent, ...theirs], trips)
  const units = matched.units.map(
    (unit): LegUnit => ({
      ...unit,
      warnings: warnings.filter(({ pointer }) => pointer === unit.pointer || pointer.startsWith(`${unit.pointer}/`)),
      declarations: unit.matches.flatMap((index) => sent[index]?.key ?? []),
      received: unit.matches.flatMap((index) => theirs[index - sent.length]?.key ?? []),
    }),
  )
  const warned = units.filter((unit) => unit.warnings.length > 0).length
  return { counts: { ...matched.counts, warned }, units, list }
}

/** How many records of each outcome there are, for a short account. */
export async function summariseClearances(tx: Transaction): Promise<{
  readonly declarations: ReadonlyArray<{ mode: Mode; outcome: string; ground: string | null; count: number }>
  readonly warnings: ReadonlyArray<{ code: string; count: number }>
  readonly refused: ReadonlyArray<{ code: string; count: number }>
  readonly received: ReadonlyArray<{ mode: Mode; state: string; count: number }>
  readonly defective: ReadonlyArray<{ code: string; quarantined: boolean; count: number }>
}> {
  const declarations = await sql<{ mode: Mode; outcome: string; ground: string | null; count: number }>`
    select mode, outcome, ground, count(*)::int as count from clearance.declaration
    group by mode, outcome, ground order by mode, outcome, ground`.execute(tx)
  const warnings = await sql<{ code: string; count: number }>`
    select warning ->> 'code' as code, count(*)::int as count from (
      select jsonb_array_elements(v.warnings) as warning from clearance.declaration d
        join clearance.declaration_version v on v.declaration = d.key and v.version = d.version and v.record = d.record
      union all
      select jsonb_array_elements(c.warnings) from clearance.leg l
        join clearance.leg_list c on c.leg = l.key and c.list_version = l.list_version where l.source <> 'partner'
    ) w group by 1 order by 2 desc, 1`.execute(tx)
  const refused = await sql<{ code: string; count: number }>`
    select problem ->> 'code' as code, count(*)::int as count from (
      select jsonb_array_elements(problems) as problem from clearance.submission_record where outcome = 'refused'
    ) p group by 1 order by 2 desc, 1`.execute(tx)
  const came = await sql<{ mode: Mode; state: string; count: number }>`
    select mode, state, count(*)::int as count from clearance.received group by mode, state order by mode, state`.execute(
    tx,
  )
  const defective = await sql<{ code: string; quarantined: boolean; count: number }>`
    select problem ->> 'code' as code, quarantined, count(*)::int as count from (
      select jsonb_array_elements(problems) as problem, quarantined from clearance.defective
    ) p group by 1, 2 order by 1`.execute(tx)
  return {
    declarations: declarations.rows,
    warnings: warnings.rows,
    refused: refused.rows,
    received: came.rows,
    defective: defective.rows,
  }
}
