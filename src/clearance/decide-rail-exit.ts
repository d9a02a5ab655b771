/** Reads from a declaration whether its goods leave by rail over the border with the partner, and towards it. */
import { type CountryCode, type PlainDate, parseInstant } from '../kernel/index.ts'
import type { Checkpoint } from './conditions/index.ts'
import type { Clearance, Station } from './model.ts'
import { crossingsOn, type RailCrossing, type Reference } from './reference/index.ts'

export interface BorderContext {
  readonly homeCountry: CountryCode
  readonly partnerCountry: CountryCode
  /** The agreed crossings of the common border; those of other borders are in the reference. */
  readonly checkpoints: readonly Checkpoint[]
  readonly reference: Reference
}

/** The agreed checkpoints as crossings, with every code and name they are met under. */
export function crossingsOf(checkpoints: readonly Checkpoint[], day: PlainDate): RailCrossing[] {
  return checkpoints
    .filter(({ validFrom, validUntil }) => (validFrom ?? day) <= day && day <= (validUntil ?? day))
    .map(crossingOf)
}

const crossings = new WeakMap<Checkpoint, RailCrossing>()

/** A checkpoint as a crossing, made once: every declaration is compared with all of them. */
function crossingOf(checkpoint: Checkpoint): RailCrossing {
  const known = crossings.get(checkpoint)
  if (known) return known
  const { id, places } = checkpoint
  const made = {
    id,
    between: places.map(({ country }) => country),
    esr: places.flatMap(({ esr }) => esr ?? []),
    unLocodes: places.flatMap(({ unLocode }) => unLocode ?? []),
    offices: places.flatMap(({ customsOffices }) => customsOffices.map((office) => office.id)),
    names: places.flatMap(({ name }) => Object.values(name)),
  }
  crossings.set(checkpoint, made)
  return made
}

/** `common`: a crossing between home and partner. `other`: one that leaves home elsewhere. `none`: none that is known. */
export type NamedBorder = 'common' | 'other' | 'none'

function joins({ between }: RailCrossing, a: CountryCode, b: CountryCode): boolean {
  return between.includes(a) && between.includes(b)
}

/** What the stations and offices named on the way say of the border the goods leave over. */
export function namedBorder(clearance: Clearance, context: BorderContext): { border: NamedBorder; byStation: boolean } {
  const { homeCountry, partnerCountry } = context
  const { declaration, consignment, customsDecision } = clearance
  const day = parseInstant(customsDecision.releaseDateTime ?? '')?.slice(0, 10) ?? '9999-12-31'
  const crossings = [...crossingsOf(context.checkpoints, day), ...crossingsOn(context.reference, day)]
  const stations = consignment.borderStations ?? []
  const offices = [declaration.exitOfficeId, declaration.intendedEntryOfficeId].filter((id) => id !== undefined)
  const byStation = crossings.filter((crossing) => stations.some((station) => isStationOf(crossing, station)))
  const byOffice = crossings.filter((crossing) => offices.some((office) => crossing.offices.includes(office)))
  const common = (found: readonly RailCrossing[]) =>
    found.some((crossing) => joins(crossing, homeCountry, partnerCountry))
  if (common(byStation)) return { border: 'common', byStation: true }
  if (common(byOffice)) return { border: 'common', byStation: false }
  const leavesElsewhere = [...byStation, ...byOffice].some(({ between }) => between.includes(homeCountry))
  return { border: leavesElsewhere ? 'other' : 'none', byStation: byStation.length > 0 }
}

/** A station code without its check digit is the same station. */
function isStationOf(crossing: RailCrossing, { esr, unLocode, name }: Station): boolean {
  return (
    (esr !== undefined && crossing.esr.some((known) => known.slice(0, 5) === esr.slice(0, 5))) ||
    (unLocode !== undefined && crossing.unLocodes.includes(unLocode)) ||
    (name !== undefined && plainNamesOf(crossing).has(plainName(name.text)))
  )
}

const plainNames = new WeakMap<RailCrossing['names'], ReadonlySet<string>>()

/** A crossing's names as they are compared, made once for each list of names. */
function plainNamesOf({ names }: RailCrossing): ReadonlySet<string> {
  const known = plainNames.get(names) ?? new Set(names.map(plainName))
  plainNames.set(names, known)
  return known
}

/** Railway lists add «(эксп.)» and the like to the name of a border station. */
function plainName(name: string): string {
  return name
    .replace(/\(.*?\)/gu, '')
    .trim()
    .toLowerCase()
}

export type RailExit = 'rail' | 'not-rail' | 'other-border' | 'unknown'

const OTHER_MODES: ReadonlySet<string> = new Set(['1', '3', '4', '7', '8'])
const RAIL_NOTES: ReadonlySet<string> = new Set(['720', '722'])

/**
 * Whether the goods leave by a rail crossing of the common border. The mode of transport at the border says it best; a
 * wagon or a railway's note says it too; a road or air mode beside a rail station is a contradiction for an officer.
 */
export function decideRailExit(clearance: Clearance, context: BorderContext): RailExit {
  const { border, byStation } = namedBorder(clearance, context)
  const { borderModeCode: mode, notes = [], trainNumber } = clearance.consignment
  if (mode !== undefined && OTHER_MODES.has(mode)) return border === 'common' && byStation ? 'unknown' : 'not-rail'
  if (border === 'other') return 'other-border'
  if (border === 'common' || mode === '2' || mode === '5') return 'rail'
  const signs = clearance.wagons.length > 0 || trainNumber !== undefined || notes.some(isRailNote)
  return signs ? 'rail' : 'unknown'
}

const isRailNote = ({ typeCode }: { typeCode?: string }): boolean => typeCode !== undefined && RAIL_NOTES.has(typeCode)

/**
 * Whether the destination or the transit route lies in the partner's state. Goods that came from the partner and go on
 * elsewhere have it behind them, whatever their routing lists. A routing that names only where goods start and end does
 * not tell the way between.
 */
export function decideNexus(clearance: Clearance, context: BorderContext): 'yes' | 'no' | 'unknown' {
  const { homeCountry, partnerCountry: partner } = context
  const {
    destinationCountry,
    destinationStation,
    exportCountry,
    routingCountries = [],
    borderStations = [],
  } = clearance.consignment
  if (destinationCountry === partner || destinationStation?.country === partner) return 'yes'
  if (exportCountry === partner) return 'no'
  const { border } = namedBorder(clearance, context)
  const enters = routingCountries.includes(partner) || borderStations.some(({ country }) => country === partner)
  if (border === 'common' || enters) return 'yes'
  const ends = [homeCountry, exportCountry, destinationCountry]
  return border === 'other' || routingCountries.some((country) => !ends.includes(country)) ? 'no' : 'unknown'
}
