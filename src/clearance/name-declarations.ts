/** Says of the units on a list what the railway's notes say of them, and the partner when it handed the train over. */
import { compareNote, type EndedTrip, legTime, noteNumber, type Train, type TripContext } from './match-units.ts'
import type { ConsignmentNote, Departure, ListedContainer, ListedWagon, Reloading } from './model.ts'

const DAY_MS = 86_400_000
/** A train waits at the border for days after it was handed over; later, a DEP speaks of an earlier trip. */
export const handedOverDaysMax = 10
const HANDED_OVER_AFTER_DAYS_MAX = 1

type Listed = ListedWagon | ListedContainer
const idOf = (unit: Listed): string => ('number' in unit ? unit.number : unit.id)

/**
 * Gives each unit of a list the declarations that its consignment notes refer to.
 *
 * Why: the list names the note alone, and goods in bulk were declared before anyone knew their wagons or their note.
 * @param notes as the railway handed them over; one of the same number is another when neither station nor date
 * agrees, unless it names the unit
 */
export function nameByNotes<List extends Train>(list: List, notes: readonly ConsignmentNote[]): List {
  const byNumber = Map.groupBy(notes, ({ note }) => noteNumber(note.number))
  const named = <Unit extends Listed>(unit: Unit): Unit => {
    const own = (unit.notes ?? []).flatMap((listed) =>
      (byNumber.get(noteNumber(listed.number)) ?? []).filter((each) => {
        const comparison = compareNote(listed, each.note)
        const units = [...each.wagons.map(({ number }) => number), ...each.containers.map(({ id }) => id)]
        return comparison === 'same' || (comparison === 'number-only' && units.includes(idOf(unit)))
      }),
    )
    const said = own.flatMap(({ declarationIds = [] }) => declarationIds)
    return said.length === 0 ? unit : { ...unit, declarationIds: distinct([...(unit.declarationIds ?? []), ...said]) }
  }
  return { ...list, wagons: list.wagons.map(named), containers: list.containers.map(named) }
}

/**
 * Gives each unit of a list the declarations, and where it has none the consignment notes, that the partner's newest DEP
 * names for it.
 *
 * Why: the receiving railway lists its boxes and wagons without the other side's declaration numbers, and bulk goods
 * are known by nothing else. A unit whose trip ended after that DEP is on another trip and gets nothing from it.
 * @param departures what partners handed over, the newest first
 */
export function nameDeclarations<List extends Train>(
  list: List,
  departures: readonly Departure[],
  { ended, carriedBefore }: TripContext,
): List {
  const at = legTime(list.leg)
  const near = departures.filter(({ leg }) => isNear(leg.departedAt, at))
  const told = near.map((departure) => ({
    leftAt: departure.leg.departedAt,
    units: new Map([...departure.wagons, ...departure.containers].map((unit) => [idOf(unit), unit])),
  }))
  const endedOf = Map.groupBy(ended, ({ unit }) => unit)
  const named = <Unit extends Listed>(unit: Unit): Unit => {
    const ids = [idOf(unit), ...(carriedBefore.get(idOf(unit)) ?? [])]
    const isOver = (leftAt: string) =>
      ids.some((id) => (endedOf.get(id) ?? []).some((one) => endedBetween(one, leftAt, at)))
    const newest = told.find(({ units }) => ids.some((id) => units.has(id)))
    if (newest === undefined || isOver(newest.leftAt)) return unit
    const said = ids.flatMap((id) => newest.units.get(id) ?? [])
    const declarationIds = distinct([unit, ...said].flatMap((one) => one.declarationIds ?? []))
    const notes = unit.notes ?? said.flatMap((one) => one.notes ?? [])
    return { ...unit, ...(declarationIds.length > 0 && { declarationIds }), ...(notes.length > 0 && { notes }) }
  }
  return { ...list, wagons: list.wagons.map(named), containers: list.containers.map(named) }
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)]
}

function isNear(leftAt: string, at: string | undefined): boolean {
  if (at === undefined) return true
  const days = (Date.parse(at) - Date.parse(leftAt)) / DAY_MS
  return -HANDED_OVER_AFTER_DAYS_MAX <= days && days <= handedOverDaysMax
}

function endedBetween({ endedAt }: EndedTrip, leftAt: string, at: string | undefined): boolean {
  const [endedMs, slackMs] = [Date.parse(endedAt), HANDED_OVER_AFTER_DAYS_MAX * DAY_MS]
  return at !== undefined && Date.parse(leftAt) < endedMs && endedMs < Date.parse(at) - slackMs
}

/** What carried the goods of each unit before: from the reloadings that filled this train. */
export function carriedBefore(reloadings: readonly Reloading[]): ReadonlyMap<string, readonly string[]> {
  const moves = reloadings.flatMap(({ moves: all }) => all.filter(({ equipmentId }) => equipmentId === undefined))
  const pairs = moves.flatMap(({ fromWagons, toWagons }) => toWagons.map((to) => ({ to, fromWagons })))
  return new Map(
    [...Map.groupBy(pairs, ({ to }) => to)].map(([to, of]) => [to, distinct(of.flatMap((one) => one.fromWagons))]),
  )
}
