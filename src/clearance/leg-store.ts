import { sql } from 'kysely'
import { v4 as uuidv4 } from 'uuid'
import type { AuditEvent } from '../audit/index.ts'
import { saveOutbound } from '../exchange/index.ts'
import { accept, canonicalJson, type Decision, type Instant, type Problem, refuse } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import {
  findHomeCandidates,
  findReceivedCandidates,
  findReloadings,
  findTrips,
  type HomeCandidate,
  withNotes,
  withPartnerNames,
} from './candidate-store.ts'
import { checkDeparture, checkRailwayList } from './check-departure.ts'
import { composeDeparture } from './compose-body.ts'
import type { ClearanceContext } from './context.ts'
import { contentDigest } from './decide-version.ts'
import type { Taken } from './declaration-store.ts'
import { draftMessage } from './draft-message.ts'
import { drawsOf, foldBalance } from './fold-balance.ts'
import { isBehind, type ReceivedFrom } from './lane-place-store.ts'
import { legIdentity, matchUnits, type TripContext } from './match-units.ts'
import type { Departure, Leg, RailwayList } from './model.ts'
import { findDraws } from './read-store.ts'

export interface RailHandOver {
  readonly taken: Taken
  readonly events: readonly AuditEvent[]
  readonly signed: number
}

/** What was signed of what waited for the channel, and at how much of it was looked. */
export interface WaitingSigned {
  readonly looked: number
  readonly signed: number
  readonly events: readonly AuditEvent[]
}

interface LegRow {
  readonly key: string
  readonly lane: string
  readonly content_digest: string
  readonly list_version: number
  readonly departed_at: Instant | null
  readonly closed_at: Instant | null
}

type LegSource = 'carrier' | 'customs' | 'partner'

/**
 * Takes the railway's list of a leg: what the carrier says goes on this train. A later list replaces an earlier one,
 * which is kept; the same list again changes nothing, also one that was replaced since. Other content under a version
 * that the list itself states is refused: nobody could say which is the later.
 */
export async function takeRailwayList(
  tx: Transaction,
  context: ClearanceContext,
  list: RailwayList,
): Promise<RailHandOver> {
  const { reference, conditions, now } = context
  const warnings = checkRailwayList(list, reference, conditions.rules, now.toISOString())
  const { listVersion } = list
  const saved = await saveLeg(tx, context, 'carrier', list.leg, list, warnings, { listVersion })
  const { key: about, outcome } = saved
  if (outcome === 'refused') {
    const facts = { version: listVersion ?? 1 }
    const problems = [{ code: 'clearance/version-conflict', pointer: '/listVersion', facts }]
    return { taken: { outcome, about, problems }, events: [], signed: 0 }
  }
  if (outcome === 'unchanged' || outcome === 'superseded')
    return { taken: { outcome, about, problems: [] }, events: [], signed: 0 }
  const facts = { wagons: list.wagons.length, containers: list.containers.length }
  return {
    taken: { outcome, about, problems: warnings },
    events: [{ type: 'leg.listed', subject: about, facts }],
    signed: 0,
  }
}

interface SavedLeg {
  readonly key: string
  readonly lane: string
  readonly outcome: 'taken' | 'amended' | 'unchanged' | 'superseded' | 'refused'
}

/** Writes a leg with its units under the identity that tells it from another train's. */
async function saveLeg(
  tx: Transaction,
  context: Pick<ClearanceContext, 'mode' | 'now'>,
  source: LegSource,
  leg: Leg,
  content: RailwayList | Departure,
  warnings: readonly Problem[],
  options: { listVersion?: number | undefined; partner?: string; message?: string } = {},
): Promise<SavedLeg> {
  const identity = legIdentity(leg)
  const digest = contentDigest(content)
  await sql`select pg_advisory_xact_lock(hashtextextended(${`leg ${context.mode} ${source} ${identity}`}, 0))`.execute(
    tx,
  )
  const { rows } = await sql<LegRow>`
    select key, lane, content_digest, list_version, departed_at, closed_at from clearance.leg
    where mode = ${context.mode} and source = ${source} and identity = ${identity} for update`.execute(tx)
  const known = rows[0]
  if (known?.content_digest === digest) return { key: known.key, lane: known.lane, outcome: 'unchanged' }
  const listVersion = options.listVersion ?? (known ? known.list_version + 1 : 1)
  if (known && (listVersion < known.list_version || (await wasReplaced(tx, source, known.key, content))))
    return { key: known.key, lane: known.lane, outcome: 'superseded' }
  if (known && listVersion === known.list_version) return { key: known.key, lane: known.lane, outcome: 'refused' }
  const key = known?.key ?? uuidv4()
  const lane = known?.lane ?? uuidv4()
  const at = context.now.toISOString()
  await sql`
    insert into clearance.leg as l (key, mode, source, partner, identity, lane, list_version, content_digest, leg,
      planned_at, departed_at, arrived_at, departure_message, changed_at)
    values (${key}, ${context.mode}, ${source}, ${options.partner ?? null}, ${identity}, ${lane}, ${listVersion}, ${digest},
      ${JSON.stringify(leg)}, ${leg.plannedDepartureAt ?? leg.plannedArrivalAt ?? null}, ${leg.departedAt ?? null},
      ${leg.arrivedAt ?? null}, ${options.message ?? null}, ${at})
    on conflict (mode, source, identity) do update set list_version = excluded.list_version,
      content_digest = excluded.content_digest, leg = excluded.leg, planned_at = excluded.planned_at,
      departed_at = coalesce(excluded.departed_at, l.departed_at), arrived_at = coalesce(excluded.arrived_at, l.arrived_at),
      departure_message = coalesce(excluded.departure_message, l.departure_message),
      changed_at = excluded.changed_at`.execute(tx)
  await sql`
    insert into clearance.leg_list (leg, list_version, content, warnings, taken_at)
    values (${key}, ${listVersion}, ${canonicalJson(content)}::jsonb, ${JSON.stringify(warnings)}::jsonb, ${at})`.execute(
    tx,
  )
  await sql`delete from clearance.leg_unit where leg = ${key}`.execute(tx)
  await sql`
    insert into clearance.leg_unit (leg, kind, unit)
    select ${key}::uuid, 'wagon', number from unnest(${content.wagons.map(({ number }) => number)}::text[]) as w (number)
    union select ${key}::uuid, 'container', id from unnest(${content.containers.map(({ id }) => id)}::text[]) as c (id)`.execute(
    tx,
  )
  return { key, lane, outcome: known ? 'amended' : 'taken' }
}

/** Whether a list came before and was replaced since; what a partner sends is ordered by its lane instead. */
async function wasReplaced(
  tx: Transaction,
  source: LegSource,
  leg: string,
  content: RailwayList | Departure,
): Promise<boolean> {
  if (source === 'partner') return false
  const { rows } = await sql`
    select 1 from clearance.leg_list where leg = ${leg} and content = ${canonicalJson(content)}::jsonb`.execute(tx)
  return rows.length > 0
}

/**
 * Takes the departure of a train as this side's customs confirms it, and tells the partner what was handed over.
 *
 * Declarations are named on a unit only where the partner was sent them, so that a unit whose data were withheld looks
 * like any unit without data.
 * @law STOP-2021/1.2-r1, STOP-2021/2.3-r1
 */
export async function takeDeparture(
  tx: Transaction,
  context: ClearanceContext,
  departure: Departure,
): Promise<RailHandOver> {
  const { reference, conditions, mode, now } = context
  const warnings = checkDeparture(departure, reference, conditions.rules, now.toISOString())
  const saved = await saveLeg(tx, context, 'customs', departure.leg, departure, warnings)
  if (saved.outcome !== 'taken' && saved.outcome !== 'amended')
    return { taken: { outcome: saved.outcome, about: saved.key, problems: [] }, events: [], signed: 0 }
  await sql`update clearance.leg set departed_at = ${departure.leg.departedAt}, changed_at = ${now.toISOString()}
    where mode = ${mode} and source = 'carrier' and identity = ${legIdentity(departure.leg)}`.execute(tx)
  const trips = await findTrips(tx, mode, departure)
  const train = await withNotes(tx, mode, departure)
  const candidates = await findHomeCandidates(tx, mode, reference, train, trips)
  const overdrawn = await saveDraws(tx, saved.key, train, candidates, trips)
  const message = await signDeparture(tx, context, saved, departure, warnings)
  return {
    taken: { outcome: saved.outcome, about: saved.key, problems: [...warnings, ...overdrawn] },
    events: [
      {
        type: 'leg.departed',
        subject: saved.key,
        facts: { units: departure.wagons.length + departure.containers.length },
      },
      ...(message ? [message] : []),
    ],
    signed: message ? 1 : 0,
  }
}

/** Signs the DEP of a leg, or lets it wait while the channel is closed. @returns the fact that it was signed */
async function signDeparture(
  tx: Transaction,
  context: ClearanceContext,
  { key, lane }: Pick<SavedLeg, 'key' | 'lane'>,
  departure: Departure,
  warnings: readonly Problem[],
): Promise<AuditEvent | undefined> {
  const { reference, mode, now } = context
  const trips = await findTrips(tx, mode, departure)
  const train = await withNotes(tx, mode, departure)
  const candidates = await findHomeCandidates(tx, mode, reference, train, trips)
  const sent = candidates.filter((candidate) => candidate.sent)
  const reloadings = departure.reloadings ?? (await findReloadings(tx, mode, departure.leg))
  const told = reloadings.length > 0 ? { ...train, reloadings } : train
  const body = composeDeparture(told, sent, warnings, trips)
  const draft = draftMessage(context, 'DEP', body, { subject: key, lane })
  const [message] = draft ? await saveOutbound(tx, context.identity, [draft], now) : []
  await sql`update clearance.leg set waiting = ${!message}, departure_message = coalesce(${message?.id ?? null}, departure_message)
    where key = ${key}`.execute(tx)
  return message && { type: 'message.signed', subject: message.id, facts: { type: 'DEP', mode } }
}

/**
 * Tells the partner of the trains that left while the channel was closed. Declarations are named by what it was sent by
 * now, so those that waited too are signed before.
 */
export async function signWaitingDepartures(
  tx: Transaction,
  context: ClearanceContext,
  limit: number,
): Promise<WaitingSigned> {
  const { rows } = await sql<{ key: string; lane: string; content: Departure; warnings: readonly Problem[] }>`
    select l.key, l.lane, c.content, c.warnings from clearance.leg l
    join clearance.leg_list c on c.leg = l.key and c.list_version = l.list_version
    where l.waiting and l.mode = ${context.mode} order by l.changed_at limit ${limit}
    for update of l skip locked`.execute(tx)
  const events: AuditEvent[] = []
  for (const { content, warnings, ...leg } of rows) {
    const signed = await signDeparture(tx, context, leg, content, warnings)
    if (signed) events.push(signed)
  }
  return { looked: rows.length, events, signed: events.length }
}

/**
 * What this train drew from temporary declarations; a list that replaces another draws anew.
 * @returns what is doubtful about their balances now. It stays at home
 */
async function saveDraws(
  tx: Transaction,
  leg: string,
  departure: Departure,
  candidates: readonly HomeCandidate[],
  trips: TripContext,
): Promise<Problem[]> {
  await sql`delete from clearance.draw where leg = ${leg}`.execute(tx)
  const warnings: Problem[] = []
  for (const { key, clearance } of candidates.filter((each) => each.clearance.declaration.temporary)) {
    const { netMass, units, unweighedUnits } = drawsOf(departure, clearance, trips)
    if (units === 0) continue
    await sql`insert into clearance.draw (declaration, leg, net_mass, units, unweighed_units)
      values (${key}, ${leg}, ${netMass}, ${units}, ${unweighedUnits})`.execute(tx)
    const declarationId = clearance.declaration.id
    for (const { code, facts } of foldBalance(clearance, await findDraws(tx, key)).warnings)
      warnings.push({ code, pointer: '', facts: { ...facts, declarationId } })
  }
  return warnings
}

/**
 * Keeps a partner's DEP as a leg of its own, beside what our own railway lists. One that stands behind the DEP that is
 * shown changes nothing; its message is kept like every other.
 */
export async function savePartnerDeparture(
  tx: Transaction,
  received: ReceivedFrom,
  departure: Departure,
  warnings: readonly Problem[],
): Promise<void> {
  const { rows } = await sql<{ departure_message: string | null }>`
    select departure_message from clearance.leg
    where identity = ${legIdentity(departure.leg)} and source = 'partner' and mode = ${received.mode} for update`.execute(
    tx,
  )
  if (await isBehind(tx, received, rows[0]?.departure_message ?? null)) return
  await saveLeg(tx, received, 'partner', departure.leg, departure, warnings, {
    partner: received.partner,
    message: received.message,
  })
}

export type LegRefusal =
  | { readonly code: 'clearance/leg-unknown'; readonly key: string }
  | { readonly code: 'clearance/leg-not-listed'; readonly key: string; readonly source: string }
  | { readonly code: 'clearance/leg-departed'; readonly key: string }
  | { readonly code: 'clearance/leg-closed'; readonly key: string }

/** Confirms that a leg the railway listed has left: what was listed is what is told to the partner. */
export async function departListedLeg(
  tx: Transaction,
  context: ClearanceContext,
  key: string,
  departedAt: string,
): Promise<Decision<RailHandOver, LegRefusal>> {
  const { rows } = await sql<{ source: LegSource; departed_at: Instant | null; content: RailwayList }>`
    select l.source, l.departed_at, c.content from clearance.leg l
    join clearance.leg_list c on c.leg = l.key and c.list_version = l.list_version
    where l.key = ${key} and l.mode = ${context.mode} for update of l`.execute(tx)
  const row = rows[0]
  if (!row) return refuse({ code: 'clearance/leg-unknown' as const, key })
  if (row.source !== 'carrier') return refuse({ code: 'clearance/leg-not-listed' as const, key, source: row.source })
  if (row.departed_at) return refuse({ code: 'clearance/leg-departed' as const, key })
  const { leg, wagons, containers } = row.content
  return accept(await takeDeparture(tx, context, { leg: { ...leg, departedAt }, wagons, containers }))
}

/**
 * Closes a leg on the receiving side: everything on it was dealt with. Every clearance that belongs to it is reported
 * USED, inspected or not, so that the report does not show whom we inspected.
 */
export async function closeLeg(
  tx: Transaction,
  context: ClearanceContext,
  key: string,
): Promise<Decision<{ readonly used: number; readonly events: readonly AuditEvent[] }, LegRefusal>> {
  const { rows } = await sql<{ closed_at: Instant | null; content: RailwayList }>`
    select l.closed_at, c.content from clearance.leg l
    join clearance.leg_list c on c.leg = l.key and c.list_version = l.list_version
    where l.key = ${key} and l.mode = ${context.mode} for update of l`.execute(tx)
  const row = rows[0]
  if (!row) return refuse({ code: 'clearance/leg-unknown' as const, key })
  if (row.closed_at) return refuse({ code: 'clearance/leg-closed' as const, key })
  const at = context.now.toISOString()
  await sql`update clearance.leg set closed_at = ${at}, changed_at = ${at} where key = ${key}`.execute(tx)
  const trips = await findTrips(tx, context.mode, row.content)
  const list = await withPartnerNames(tx, context.mode, row.content, trips)
  const candidates = await findReceivedCandidates(tx, context.mode, list, trips)
  const matched = matchUnits(list, candidates, trips)
  const keys = [...new Set(matched.units.flatMap((unit) => unit.matches.map((index) => candidates[index]?.key ?? '')))]
  const used = await sql<{ message: string }>`
    update clearance.received set used_at = ${at}, use_waiting = true, changed_at = ${at}
    where key = any(${keys.filter(Boolean)}::uuid[]) and used_at is null returning message`.execute(tx)
  await sql`update exchange.inbound set used_at = ${at}
    where id = any(${used.rows.map(({ message }) => message)}::uuid[]) and mode = ${context.mode}`.execute(tx)
  const { events } = await signWaitingUse(tx, context, used.rows.length)
  return accept({
    used: used.rows.length,
    events: [{ type: 'leg.closed', subject: key, facts: { used: used.rows.length } }, ...events],
  })
}

/** Signs USED for what was used, now or while the channel was closed. */
export async function signWaitingUse(
  tx: Transaction,
  context: ClearanceContext,
  limit: number,
): Promise<WaitingSigned> {
  if (!context.channel || !context.partner) return { looked: 0, signed: 0, events: [] }
  const { rows } = await sql<{ message: string; lane: string; subject: string }>`
    with used as (
      update clearance.received set use_waiting = false where key in (
        select key from clearance.received
        where use_waiting and mode = ${context.mode} and partner = ${context.partner}
        order by used_at desc limit ${limit} for update skip locked)
      returning partner, mode, message
    )
    select u.message, i.lane, i.subject from used u
    join exchange.inbound i on i.partner = u.partner and i.mode = u.mode and i.id = u.message`.execute(tx)
  const drafts = rows.flatMap(
    ({ subject, lane, message: ref }) => draftMessage(context, 'USED', undefined, { subject, lane, ref }) ?? [],
  )
  const signed = await saveOutbound(tx, context.identity, drafts, context.now)
  return {
    looked: rows.length,
    signed: signed.length,
    events: signed.map(({ id }) => ({
      type: 'message.signed',
      subject: id,
      facts: { type: 'USED', mode: context.mode },
    })),
  }
}
