/** Finds in the books what may belong to a train: clearances of both sides, and the other legs of its units. */
import { sql } from 'kysely'
import type { Mode } from '../exchange/index.ts'
import type { Instant } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import type { LeftOutLine } from './decide-eligibility.ts'
import { leaveOutLines } from './leave-out-lines.ts'
import {
  type Candidate,
  type EndedTrip,
  legIdentity,
  noteNumber,
  stationCountry,
  type Train,
  type TripContext,
} from './match-units.ts'
import type { Clearance, ConsignmentNote, Departure, HomeDeclaration, Leg, RailwayList, Reloading } from './model.ts'
import { carriedBefore, handedOverDaysMax, nameByNotes, nameDeclarations } from './name-declarations.ts'
import type { Reference } from './reference/index.ts'

export interface HomeCandidate extends Candidate {
  readonly key: string
  readonly sent: boolean
}

/** What a list is looked up by: units, with those whose goods they took over; notes; declarations. */
interface Names {
  readonly units: readonly string[]
  readonly notes: readonly string[]
  readonly declarations: readonly string[]
}

function namesOf({ wagons, containers }: Pick<Train, 'wagons' | 'containers'>, trips: TripContext): Names {
  const units = [...wagons.map(({ number }) => number), ...containers.map(({ id }) => id)]
  const listed = [...wagons, ...containers]
  return {
    units: [...units, ...units.flatMap((unit) => trips.carriedBefore.get(unit) ?? [])],
    notes: listed.flatMap(({ notes = [] }) => notes.map(({ number }) => noteNumber(number))),
    declarations: listed.flatMap(({ declarationIds = [] }) => declarationIds),
  }
}

/**
 * Declarations of this side that name a unit or note of a train: the newest version, or while an officer has that one to
 * decide, the one that was sent. What was left out of a record is left out here too, so that a unit whose lines stayed at
 * home counts as one without data.
 */
export async function findHomeCandidates(
  tx: Transaction,
  mode: Mode,
  reference: Reference,
  train: Train,
  trips: TripContext,
): Promise<readonly HomeCandidate[]> {
  const { units, notes, declarations } = namesOf(train, trips)
  const { rows } = await sql<{
    key: string
    sent: boolean
    content: HomeDeclaration
    left_out: readonly LeftOutLine[] | null
    at: Instant
  }>`
    select d.key, d.stands_at_partner as sent, v.content, v.left_out, d.first_taken_at as at
    from clearance.declaration d join clearance.declaration_version v on v.declaration = d.key and v.record = d.record
      and v.version = case when d.outcome = 'held' and d.stands_at_partner then d.sent_version else d.version end
    where d.mode = ${mode} and d.record = 'declaration' and (
      d.key in (select declaration from clearance.declaration_unit where unit = any(${units}::text[]) and kind <> 'note'
        union select declaration from clearance.declaration_unit where unit = any(${notes}::text[]) and kind = 'note')
      or d.declaration_id = any(${declarations}::text[]))
    order by d.key`.execute(tx)
  return rows.map(({ key, sent, content, left_out, at }) => ({
    key,
    sent,
    clearance: left_out
      ? leaveOutLines(content, new Set(left_out.map(({ index }) => index)), reference.marks)
      : content,
    knownAt: at,
  }))
}

/** Clearances of a partner that name a unit or note of a train, as they are shown now. */
export async function findReceivedCandidates(
  tx: Transaction,
  mode: Mode,
  train: Train,
  trips: TripContext,
): Promise<ReadonlyArray<Candidate & { readonly key: string }>> {
  const { units, notes, declarations } = namesOf(train, trips)
  const { rows } = await sql<{ key: string; content: Clearance; at: Instant }>`
    select r.key, v.content, r.received_at as at
    from clearance.received r join clearance.received_version v on v.received = r.key and v.message = r.message
    where r.mode = ${mode} and r.state = 'shown' and (
      r.key in (select received from clearance.received_unit where unit = any(${units}::text[]) and kind <> 'note'
        union select received from clearance.received_unit where unit = any(${notes}::text[]) and kind = 'note')
      or r.declaration_id = any(${declarations}::text[]))
    order by r.key`.execute(tx)
  return rows.map(({ key, content, at }) => ({ key, clearance: content, knownAt: at }))
}

/** What other legs tell of a train's units: trips that are over, and what carried their goods before a reloading. */
export async function findTrips(tx: Transaction, mode: Mode, train: Train): Promise<TripContext> {
  const before = carriedBefore(await findReloadings(tx, mode, train.leg))
  const { units } = namesOf(train, { ended: [], carriedBefore: before })
  // Over is what was closed here, what our customs handed over at the border, and what a partner handed over so long
  // ago that a second crossing is another trip.
  const to = sql`coalesce(l.leg #>> '{to,country}', left(l.leg #>> '{to,unLocode}', 2))`
  const from = sql`coalesce(l.leg #>> '{from,country}', left(l.leg #>> '{from,unLocode}', 2))`
  const handedOver = sql`l.source = 'partner' and ${from} = ${stationCountry(train.leg.from) ?? ''}`
  const { rows } = await sql<EndedTrip>`
    select u.unit, coalesce(l.departed_at, l.planned_at, l.arrived_at, l.changed_at) as "legAt",
      least(l.closed_at, case when l.source = 'customs' then l.departed_at
        when ${handedOver} then l.departed_at + make_interval(days => ${handedOverDaysMax - 1}) end) as "endedAt"
    from clearance.leg_unit u join clearance.leg l on l.key = u.leg
    where l.mode = ${mode} and u.unit = any(${units}::text[]) and (l.closed_at is not null
      or (l.departed_at is not null and ((l.source = 'customs' and ${to} is distinct from ${from}) or ${handedOver})))`.execute(
    tx,
  )
  return { ended: rows, carriedBefore: before }
}

/** Reloadings recorded here that filled a leg. */
export async function findReloadings(tx: Transaction, mode: Mode, leg: Leg): Promise<Reloading[]> {
  const { rows } = await sql<{ content: Reloading }>`
    select content from clearance.rail_record where mode = ${mode} and direction = 'home' and record = 'reloading'
    order by taken_at desc limit 200`.execute(tx)
  const identity = legIdentity(leg)
  return rows.map(({ content }) => content).filter(({ toLegs }) => toLegs.some((to) => legIdentity(to) === identity))
}

/** A train as it is matched: with the declarations that the railway's notes of its units refer to. */
export async function withNotes<List extends Train>(tx: Transaction, mode: Mode, list: List): Promise<List> {
  const { notes } = namesOf(list, { ended: [], carriedBefore: new Map() })
  if (notes.length === 0) return list
  const { rows } = await sql<{ content: ConsignmentNote }>`
    select content from clearance.rail_record
    where record = 'consignment-note' and mode = ${mode} and direction = 'home'
      and upper(content #>> '{note,number}') = any(${notes}::text[])
    order by taken_at desc limit 1000`.execute(tx)
  return nameByNotes(
    list,
    rows.map(({ content }) => content),
  )
}

/** The railway's list as it is matched: with what partners named for its units when they handed them over, too. */
export async function withPartnerNames(
  tx: Transaction,
  mode: Mode,
  list: RailwayList,
  trips: TripContext,
): Promise<RailwayList> {
  const { units } = namesOf(list, trips)
  const { rows } = await sql<{ content: Departure }>`
    select c.content from clearance.leg l join clearance.leg_list c on c.leg = l.key and c.list_version = l.list_version
    where l.mode = ${mode} and l.source = 'partner'
      and l.key in (select leg from clearance.leg_unit where unit = any(${units}::text[]))
    order by l.departed_at desc limit 50`.execute(tx)
  const departures = rows.map(({ content }) => content)
  return nameDeclarations(await withNotes(tx, mode, list), departures, trips)
}
