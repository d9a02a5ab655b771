/**
 * Matches what a train carries with what was cleared: per container or wagon, with data, without, or empty.
 *
 * A clearance is not the train: a box rolls to another train without a new declaration, and the same box comes back
 * within weeks on another trip. A trip is a unit with a consignment note, its station of departure and its date.
 */
import type { Instant } from '../kernel/index.ts'
import { slipSearch } from './findings.ts'
import type { Clearance, ConsignmentNoteReference, Leg, ListedContainer, ListedWagon, Station } from './model.ts'

/** A railway's list or a departure. */
export interface Train {
  readonly leg: Leg
  readonly wagons: readonly ListedWagon[]
  readonly containers: readonly ListedContainer[]
}

export interface Candidate {
  readonly clearance: Pick<
    Clearance,
    'declaration' | 'consignment' | 'equipment' | 'wagons' | 'items' | 'customsDecision'
  >
  /** When this side came to know it; stands in where the clearance has no release. */
  readonly knownAt: Instant
}

/** A trip of one unit that is over: its leg was closed here, or left this side. Its declaration may have others open. */
export interface EndedTrip {
  readonly unit: string
  readonly legAt: Instant
  readonly endedAt: Instant
}

/** What tells the trips of a train's units apart beyond what its list says. */
export interface TripContext {
  readonly ended: readonly EndedTrip[]
  /** What carried the goods of a unit before they were reloaded. */
  readonly carriedBefore: ReadonlyMap<string, readonly string[]>
}
const noTrips: TripContext = { ended: [], carriedBefore: new Map() }

export interface MatchedUnit {
  readonly kind: 'container' | 'wagon'
  readonly id: string
  /** JSON pointer of the unit in the list. */
  readonly pointer: string
  readonly state: 'with-data' | 'without-data' | 'empty'
  /** Places of the matching candidates. */
  readonly matches: readonly number[]
  readonly declarationIds: readonly string[]
  /** A container number of the candidates that differs by one slip, where none matched. */
  readonly closeTo?: string
}

export interface UnitCounts {
  /** Containers, and wagons that carry goods or nothing themselves. */
  readonly listed: number
  readonly loaded: number
  readonly empty: number
  readonly withData: number
  readonly withoutData: number
}

type Unit =
  | { readonly kind: 'container'; readonly id: string; readonly pointer: string; readonly listed: ListedContainer }
  | { readonly kind: 'wagon'; readonly id: string; readonly pointer: string; readonly listed: ListedWagon }
type Load = 'loaded' | 'empty' | 'carrier'

const DAY_MS = 86_400_000
/** Planned times slip; a release this long after them still belongs to the train. */
const RELEASE_AFTER_LEG_DAYS_MAX = 1
/** Weeks of queue are real; after this a box is on another trip. */
const TRIP_DAYS_MAX = 120
/** Declarations of one trip of a groupage box are released within days of each other. */
const TRIP_SPREAD_DAYS_MAX = 10

/**
 * Matches the units of a train with clearances.
 *
 * @param train the railway's list of one leg, or a departure
 * @param candidates clearances that may belong to it, one per declaration
 * @param trips what is known of these units from other legs
 * @returns every unit in the order of the list, and the counts that are the denominator of a post's day
 */
export function matchUnits(
  train: Train,
  candidates: readonly Candidate[],
  { ended, carriedBefore }: TripContext = noTrips,
): { readonly units: readonly MatchedUnit[]; readonly counts: UnitCounts } {
  const loadOf = loads(train)
  const trips = candidates.map(tripOf)
  const onLeg = trips.flatMap((trip, index) => (isOnLeg(trip, train.leg) ? [{ trip, index }] : []))
  const legMs = Date.parse(legTime(train.leg) ?? '')
  const endedOf = Map.groupBy(ended, ({ unit }) => unit)
  const closeBox = slipSearch(candidates.flatMap(({ clearance }) => clearance.equipment.map(({ id }) => id)))
  const units = unitsOf(train).flatMap((unit): MatchedUnit[] => {
    const load = loadOf(unit)
    const { kind, id, pointer } = unit
    if (load === 'carrier') return []
    if (load === 'empty') return [{ kind, id, pointer, state: 'empty', matches: [], declarationIds: [] }]
    const matches = newestTrip(onLeg, ({ trip }) => {
      const isOver = () => (endedOf.get(id) ?? []).some((one) => endsBefore(one, trip, legMs))
      return evidenceFor(unit, trip, carriedBefore.get(id) ?? [], isOver)
    })
    const declarationIds = [...new Set(matches.map((index) => trips[index]?.declarationId ?? ''))]
    const state = matches.length > 0 ? 'with-data' : 'without-data'
    const closeTo = state === 'without-data' && kind === 'container' ? closeBox(id) : undefined
    return [{ kind, id, pointer, state, matches, declarationIds, ...(closeTo && { closeTo }) }]
  })
  return { units, counts: countUnits(units) }
}

function countUnits(units: readonly MatchedUnit[]): UnitCounts {
  const of = (state: MatchedUnit['state']) => units.filter((unit) => unit.state === state).length
  const [withData, withoutData, empty] = [of('with-data'), of('without-data'), of('empty')]
  return { listed: units.length, loaded: withData + withoutData, empty, withData, withoutData }
}

/** Whether a listed unit carries goods itself: not an empty one, and not a wagon that only carries containers. */
export function isLoaded(
  unit:
    | { readonly kind: 'container'; readonly container: ListedContainer }
    | { readonly kind: 'wagon'; readonly wagon: ListedWagon },
  train: Train,
): boolean {
  const asUnit: Unit =
    unit.kind === 'container'
      ? { kind: 'container', id: unit.container.id, pointer: '', listed: unit.container }
      : { kind: 'wagon', id: unit.wagon.number, pointer: '', listed: unit.wagon }
  return loads(train)(asUnit) === 'loaded'
}

/** Each unit once: a list that repeats one is defective and does not carry more for it. */
function unitsOf({ containers, wagons }: Train): Unit[] {
  const units = [
    ...containers.map(
      (listed, index): Unit => ({ kind: 'container', id: listed.id, pointer: `/containers/${index}`, listed }),
    ),
    ...wagons.map((listed, index): Unit => ({ kind: 'wagon', id: listed.number, pointer: `/wagons/${index}`, listed })),
  ]
  return [...Map.groupBy(units, ({ kind, id }) => `${kind} ${id}`).values()].flatMap((same) => joined(same))
}

function joined([first, ...others]: readonly Unit[]): Unit[] {
  if (first === undefined || others.length === 0) return first ? [first] : []
  const all = [first, ...others]
  const notes = all.flatMap(({ listed }) => listed.notes ?? [])
  const declarationIds = all.flatMap(({ listed }) => listed.declarationIds ?? [])
  return [{ ...first, listed: { ...first.listed, notes, declarationIds } } as Unit]
}

/**
 * Tells what each unit carries. A wagon under containers carries none itself; where a list does not say which wagon a
 * container stands on, a wagon counts only when it has a mass of goods, a declaration, or a consignment note that none
 * of those containers shares.
 */
function loads({ containers, wagons }: Train): (unit: Unit) => Load {
  const carriers = new Set(containers.flatMap(({ onWagon }) => onWagon ?? []))
  const withEmpties = new Set(
    wagons.flatMap(({ number, loadState }) => (loadState === 'with-empty-containers' ? [number] : [])),
  )
  const loose = containers.filter(({ onWagon }) => onWagon === undefined)
  const looseNotes = new Set(loose.flatMap(({ notes = [] }) => notes.map(({ number }) => noteNumber(number))))
  const hasOwnGoods = ({ netMass, declarationIds = [], notes = [] }: ListedWagon) =>
    netMass !== undefined ||
    declarationIds.length > 0 ||
    (notes.length > 0 && looseNotes.size > 0 && notes.every(({ number }) => !looseNotes.has(noteNumber(number))))
  return (unit) => {
    if (unit.kind === 'container') {
      const { fullnessCode, onWagon } = unit.listed
      return fullnessCode === '4' || (fullnessCode === undefined && withEmpties.has(onWagon ?? '')) ? 'empty' : 'loaded'
    }
    const { number, loadState } = unit.listed
    if (carriers.has(number) || loadState === 'with-empty-containers') return 'carrier'
    if (loadState === 'empty') return 'empty'
    return loose.length > 0 && !hasOwnGoods(unit.listed) ? 'carrier' : 'loaded'
  }
}

/** What of a candidate tells its trip, worked out once. */
interface Trip {
  readonly declarationId: string
  readonly units: ReadonlySet<string>
  /** By number. */
  readonly notes: ReadonlyMap<string, readonly ConsignmentNoteReference[]>
  readonly releasedMs: number
  readonly from: string
  readonly to: string
  readonly isTemporary: boolean
}

function tripOf({ clearance, knownAt }: Candidate): Trip {
  const { declaration, consignment, customsDecision, equipment, wagons, items } = clearance
  return {
    declarationId: declaration.id,
    units: new Set([
      ...equipment.map(({ id }) => id),
      ...wagons.map(({ number }) => number),
      ...items.flatMap(({ equipmentIds = [], wagonNumbers = [] }) => [...equipmentIds, ...wagonNumbers]),
    ]),
    notes: Map.groupBy(consignment.notes ?? [], ({ number }) => noteNumber(number)),
    releasedMs: Date.parse(customsDecision.releaseDateTime ?? knownAt),
    from: consignment.exportCountry,
    to: consignment.destinationCountry,
    isTemporary: declaration.temporary !== undefined,
  }
}

interface TripAt {
  readonly trip: Trip
  readonly index: number
}

/** Places of the trips the unit is on. Where only its number speaks, the newest trip counts and not an earlier one. */
function newestTrip(onLeg: readonly TripAt[], evidenceOf: (candidate: TripAt) => Evidence | undefined): number[] {
  const found = onLeg.flatMap((candidate) => {
    const evidence = evidenceOf(candidate)
    return evidence === undefined ? [] : [{ ...candidate, evidence, releasedMs: candidate.trip.releasedMs }]
  })
  const latestMs = Math.max(...found.map(({ releasedMs }) => releasedMs))
  return found.flatMap(({ index, evidence, releasedMs }) =>
    evidence === 'number' && releasedMs < latestMs - TRIP_SPREAD_DAYS_MAX * DAY_MS ? [] : [index],
  )
}

/** Released by the time of the leg and not long before, and not bound the other way. */
function isOnLeg(trip: Trip, leg: Leg): boolean {
  const towards = stationCountry(leg.to)
  if (towards !== undefined && trip.from === towards && trip.to !== towards) return false
  const at = legTime(leg)
  if (at === undefined) return true
  const legMs = Date.parse(at)
  if (trip.releasedMs > legMs + RELEASE_AFTER_LEG_DAYS_MAX * DAY_MS) return false
  return trip.isTemporary || legMs - trip.releasedMs <= TRIP_DAYS_MAX * DAY_MS
}

/** When a leg left, or is to leave, or what else is known of its time. */
export function legTime(leg: Leg): Instant | undefined {
  return leg.departedAt ?? leg.plannedDepartureAt ?? leg.arrivedAt ?? leg.plannedArrivalAt
}

/** Whether a unit's earlier leg belongs to this trip and was over before the train; a temporary declaration goes on. */
function endsBefore({ legAt, endedAt }: EndedTrip, trip: Trip, legMs: number): boolean {
  const slackMs = RELEASE_AFTER_LEG_DAYS_MAX * DAY_MS
  return !trip.isTemporary && Date.parse(legAt) >= trip.releasedMs - slackMs && Date.parse(endedAt) < legMs - slackMs
}

/** The country a station is said to be in, or its UN/LOCODE tells. */
export function stationCountry({ country, unLocode }: Station): string | undefined {
  return country ?? unLocode?.slice(0, 2)
}

type Evidence = 'note' | 'declaration' | 'number'

/**
 * What ties a unit to a trip: its consignment note, a declaration the list names, or its number alone. The number alone
 * says nothing once the unit's trip is over.
 *
 * A clearance that states its units speaks of no other unit: a declaration number on the list, or a note, adds none to
 * it but a wagon taken at the gauge break. So a unit whose lines were left out stays without data.
 */
function evidenceFor(
  unit: Unit,
  trip: Trip,
  carriedBefore: readonly string[],
  isOver: () => boolean,
): Evidence | undefined {
  const isNamed = [unit.id, ...carriedBefore].some((id) => trip.units.has(id))
  const note = compareNotes(unit.listed.notes ?? [], trip.notes)
  if (note === 'different') return undefined
  const isDeclared = unit.listed.declarationIds?.includes(trip.declarationId) ?? false
  if (isNamed && note !== 'unknown') return 'note'
  if (isNamed && isDeclared) return 'declaration'
  if (isNamed) return isOver() ? undefined : 'number'
  if (note === 'same' && (trip.units.size === 0 || unit.kind === 'wagon')) return 'note'
  return isDeclared && trip.units.size === 0 ? 'declaration' : undefined
}

type NoteComparison = 'same' | 'number-only' | 'different' | 'unknown'

/** Note numbers are not unique: station or date of departure must agree before two are one note. */
function compareNotes(listed: readonly ConsignmentNoteReference[], cleared: Trip['notes']): NoteComparison {
  if (listed.length === 0 || cleared.size === 0) return 'unknown'
  const found = listed.flatMap((a) => (cleared.get(noteNumber(a.number)) ?? []).map((b) => compareNote(a, b)))
  return found.find((one) => one === 'same') ?? found.find((one) => one === 'number-only') ?? 'different'
}

/** Of two notes of one number: station or date of departure tells whether they are one note. */
export function compareNote(
  a: ConsignmentNoteReference,
  b: ConsignmentNoteReference,
): 'same' | 'number-only' | 'different' {
  const agreements = [agree(a.date, b.date), compareStations(a.departureStation, b.departureStation)]
  if (agreements.includes(false)) return 'different'
  return agreements.includes(true) ? 'same' : 'number-only'
}

/** A note's number as it is compared. */
export const noteNumber = (number: string): string => number.trim().toUpperCase()

/** Undefined where one side says nothing. */
function agree(a: string | undefined, b: string | undefined): boolean | undefined {
  return a === undefined || b === undefined ? undefined : a === b
}

function compareStations(a: Station | undefined, b: Station | undefined): boolean | undefined {
  return agree(a?.esr?.slice(0, 5), b?.esr?.slice(0, 5)) ?? agree(a?.unLocode, b?.unLocode)
}

/**
 * Tells one leg from another: by its transfer list, or by train, day and stations where there is none. A later list of
 * the same leg has the same identity.
 */
export function legIdentity(leg: Leg): string {
  const planned = leg.plannedDepartureAt ?? leg.departedAt ?? leg.plannedArrivalAt ?? leg.arrivedAt
  const day = leg.transferListDate ?? planned?.slice(0, 10) ?? ''
  const train =
    leg.transferListNumber === undefined
      ? `train ${leg.trainIndex ?? leg.trainNumber ?? ''}`
      : `list ${leg.transferListNumber}`
  return [train, day, stationKey(leg.from), stationKey(leg.to)].join('|')
}

function stationKey({ esr, unLocode, name }: Station): string {
  return esr?.slice(0, 5) ?? unLocode ?? name?.text.trim().toLowerCase() ?? ''
}
