import { sql } from 'kysely'
import { v4 as uuidv4 } from 'uuid'
import type { AuditEvent } from '../audit/index.ts'
import { type Mode, saveOutbound } from '../exchange/index.ts'
import { canonicalJson, type Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { ClearanceContext } from './context.ts'
import { contentDigest } from './decide-version.ts'
import { draftMessage } from './draft-message.ts'
import { isBehind, type ReceivedFrom } from './lane-place-store.ts'
import type { RailHandOver, WaitingSigned } from './leg-store.ts'
import { legIdentity } from './match-units.ts'
import type { Arrival, ConsignmentNote, Discrepancy, Reloading } from './model.ts'

/** Records of the railway and the post other than trains and declarations. */
export type RailRecord =
  | { readonly record: 'reloading'; readonly content: Reloading }
  | { readonly record: 'arrival'; readonly content: Arrival }
  | { readonly record: 'discrepancy'; readonly content: Discrepancy }
  | { readonly record: 'consignment-note'; readonly content: ConsignmentNote }

/** Which message tells the partner of a record; a reloading goes with the DEP, a consignment note is the carrier's. */
const messageOf: { readonly [Record in RailRecord['record']]?: string } = { arrival: 'ARR', discrepancy: 'DSC' }

/** What tells a record from another of its kind. */
function identityOf({ record, content }: RailRecord): string {
  switch (record) {
    case 'reloading':
      return content.id
    case 'arrival':
      return legIdentity(content.leg)
    case 'discrepancy':
      return [content.unit.kind, content.unit.id, content.fact, content.observedAt].join('|')
    case 'consignment-note': {
      const { number, departureStation, date } = content.note
      return [number, departureStation?.esr ?? departureStation?.unLocode ?? '', date ?? ''].join('|')
    }
  }
}

async function saveRecord(
  tx: Transaction,
  row: { mode: Mode; direction: 'home' | 'partner'; partner: string | null; at: string; message: string | null },
  each: RailRecord,
  warnings: readonly Problem[],
): Promise<{ key: string; outcome: 'taken' | 'amended' | 'unchanged' }> {
  const identity = identityOf(each)
  const digest = contentDigest(each.content)
  await sql`select pg_advisory_xact_lock(
    hashtextextended(${`${each.record} ${row.mode} ${row.direction} ${identity}`}, 0))`.execute(tx)
  const { rows } = await sql<{ key: string; content_digest: string }>`
    select key, content_digest from clearance.rail_record
    where mode = ${row.mode} and direction = ${row.direction} and record = ${each.record} and identity = ${identity}
    for update`.execute(tx)
  const known = rows[0]
  if (known?.content_digest === digest) return { key: known.key, outcome: 'unchanged' }
  const key = known?.key ?? uuidv4()
  await sql`
    insert into clearance.rail_record as r (key, mode, direction, partner, record, identity, content_digest, content,
      warnings, message, taken_at)
    values (${key}, ${row.mode}, ${row.direction}, ${row.partner}, ${each.record}, ${identity}, ${digest},
      ${canonicalJson(each.content)}::jsonb, ${JSON.stringify(warnings)}::jsonb, ${row.message}, ${row.at})
    on conflict (mode, direction, record, identity) do update set content_digest = excluded.content_digest,
      content = excluded.content, warnings = excluded.warnings, message = coalesce(excluded.message, r.message),
      taken_at = excluded.taken_at`.execute(tx)
  return { key, outcome: known ? 'amended' : 'taken' }
}

/**
 * Takes a reloading, an arrival, a discrepancy or a consignment note of this side. Arrivals and discrepancies are told to
 * the partner: physical and technical facts, nothing from an import declaration.
 */
export async function takeRailRecord(
  tx: Transaction,
  context: ClearanceContext,
  each: RailRecord,
): Promise<RailHandOver> {
  const at = context.now.toISOString()
  const saved = await saveRecord(
    tx,
    { mode: context.mode, direction: 'home', partner: null, at, message: null },
    each,
    [],
  )
  const type = messageOf[each.record]
  const events: RailHandOver['events'][number][] = []
  if (saved.outcome === 'unchanged') return { taken: { ...saved, about: saved.key, problems: [] }, events, signed: 0 }
  if (each.record === 'reloading')
    events.push({ type: 'reloading.recorded', subject: saved.key, facts: { moves: each.content.moves.length } })
  if (each.record === 'arrival') {
    events.push({ type: 'leg.arrived', subject: saved.key, facts: { units: each.content.units.length } })
    await sql`update clearance.leg set arrived_at = ${each.content.leg.arrivedAt}, changed_at = ${at}
      where mode = ${context.mode} and identity = ${legIdentity(each.content.leg)}`.execute(tx)
  }
  const message = type ? await signRecord(tx, context, saved.key, type, each.content) : undefined
  if (message) events.push(message)
  return { taken: { outcome: saved.outcome, about: saved.key, problems: [] }, events, signed: message ? 1 : 0 }
}

/** Signs the message about a record, or lets it wait while the channel is closed. @returns the fact that it was signed */
async function signRecord(
  tx: Transaction,
  context: ClearanceContext,
  key: string,
  type: string,
  content: object,
): Promise<AuditEvent | undefined> {
  const draft = draftMessage(context, type, content, { subject: key, lane: key })
  const [message] = draft ? await saveOutbound(tx, context.identity, [draft], context.now) : []
  await sql`update clearance.rail_record set waiting = ${!message}, message = coalesce(${message?.id ?? null}, message)
    where key = ${key}`.execute(tx)
  return message && { type: 'message.signed', subject: message.id, facts: { type, mode: context.mode } }
}

/** Tells the partner of arrivals and discrepancies that were recorded while the channel was closed. */
export async function signWaitingRecords(
  tx: Transaction,
  context: ClearanceContext,
  limit: number,
): Promise<WaitingSigned> {
  const { rows } = await sql<{ key: string; record: RailRecord['record']; content: object }>`
    select key, record, content from clearance.rail_record
    where waiting and mode = ${context.mode} order by taken_at limit ${limit} for update skip locked`.execute(tx)
  const events: AuditEvent[] = []
  for (const { key, record, content } of rows) {
    const signed = await signRecord(tx, context, key, messageOf[record] ?? '', content)
    if (signed) events.push(signed)
  }
  return { looked: rows.length, events, signed: events.length }
}

/** Keeps an arrival or a discrepancy that a partner sent; one that stands behind what is shown changes nothing. */
export async function savePartnerRecord(tx: Transaction, received: ReceivedFrom, each: RailRecord): Promise<void> {
  const { partner, mode, message, now } = received
  const { rows } = await sql<{ message: string | null }>`
    select message from clearance.rail_record where identity = ${identityOf(each)} and record = ${each.record}
      and direction = 'partner' and mode = ${mode} for update`.execute(tx)
  if (await isBehind(tx, received, rows[0]?.message ?? null)) return
  await saveRecord(tx, { mode, direction: 'partner', partner, at: now.toISOString(), message }, each, [])
}
