/** Keeps the balance of a temporary (periodic) declaration over the trains that draw from it. */
import { addDecimals, compareDecimals, type DecimalText, type Problem, subtractDecimals } from '../kernel/index.ts'
import { finding } from './findings.ts'
import { type Candidate, matchUnits, type Train, type TripContext } from './match-units.ts'
import type { Clearance } from './model.ts'

/** What one train took: net mass of the units weighed, and how many units there were. */
export interface Draw {
  /** What tells the leg; a leg that comes twice counts as it came last. */
  readonly leg: string
  /** In kg, of the units whose mass is known. */
  readonly netMass: DecimalText
  readonly units: number
  /** Units without a net mass, and without gross and tare. */
  readonly unweighedUnits?: number
  readonly departedAt?: string
}

export interface Balance {
  /** In kg; undefined where the declaration states no net mass. */
  readonly declaredKg: DecimalText | undefined
  readonly drawnKg: DecimalText
  /** Below zero when more was drawn than declared. */
  readonly leftKg: DecimalText | undefined
  readonly legs: number
  readonly units: number
  readonly unweighedUnits: number
  readonly warnings: readonly Problem[]
}

/**
 * Adds up what trains drew from a temporary declaration and what is left of it.
 *
 * Its mass is approximate by nature: drawing more is a warning at home, never a reason to stop a train.
 * @param declared the declaration; its temporary mass, or its total net mass
 * @param draws one per leg
 */
export function foldBalance(declared: Pick<Clearance, 'declaration'>, draws: readonly Draw[]): Balance {
  const { temporary, totalNetMass } = declared.declaration
  const declaredKg = temporary?.netMass ?? totalNetMass
  const byLeg = [...new Map(draws.map((draw) => [draw.leg, draw])).values()]
  const drawnKg = addDecimals(byLeg.map(({ netMass }) => netMass))
  const leftKg = declaredKg === undefined ? undefined : subtractDecimals(declaredKg, drawnKg)
  const total = (of: (draw: Draw) => number) => byLeg.reduce((sum, draw) => sum + of(draw), 0)
  const unweighedUnits = total((draw) => draw.unweighedUnits ?? 0)
  const validUntil = temporary?.validUntil
  const late =
    validUntil === undefined ? 0 : byLeg.filter(({ departedAt = '' }) => departedAt.slice(0, 10) > validUntil).length
  const at = ['declaration', 'temporary']
  return {
    declaredKg,
    drawnKg,
    leftKg,
    legs: byLeg.length,
    units: total((draw) => draw.units),
    unweighedUnits,
    warnings: [
      ...(leftKg !== undefined && compareDecimals(leftKg, '0') < 0
        ? [finding('clearance/balance-overdrawn', [...at, 'netMass'], { declaredKg: declaredKg ?? '0', drawnKg })]
        : []),
      ...(unweighedUnits > 0 ? [finding('clearance/balance-unweighed', at, { units: unweighedUnits })] : []),
      ...(late > 0 ? [finding('clearance/balance-after-term', [...at, 'validUntil'], { legs: late })] : []),
    ],
  }
}

/**
 * Reads what a train draws from one temporary declaration: the net mass of the units that belong to it, or gross less
 * tare. A unit without either counts as unweighed.
 */
export function drawsOf(
  train: Train,
  clearance: Candidate['clearance'],
  trips?: TripContext,
): { readonly netMass: DecimalText; readonly units: number; readonly unweighedUnits: number } {
  const knownAt = clearance.declaration.acceptanceDateTime ?? '1970-01-01T00:00:00Z'
  const units = matchUnits(train, [{ clearance, knownAt }], trips).units.filter(({ matches }) => matches.length > 0)
  const masses = units.map(({ kind, id }) => netMassOf(train, kind, id))
  const known = masses.filter((mass) => mass !== undefined)
  return { netMass: addDecimals(known), units: units.length, unweighedUnits: units.length - known.length }
}

function netMassOf({ containers, wagons }: Train, kind: 'container' | 'wagon', id: string): DecimalText | undefined {
  const wagon = kind === 'wagon' ? wagons.find(({ number }) => number === id) : undefined
  if (wagon?.netMass !== undefined) return wagon.netMass
  const { grossMass, tareMass } = wagon ?? containers.find((container) => container.id === id) ?? {}
  if (grossMass === undefined || tareMass === undefined) return undefined
  const netMass = subtractDecimals(grossMass, tareMass)
  return compareDecimals(netMass, '0') < 0 ? undefined : netMass
}
