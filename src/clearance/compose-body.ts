/** Makes the bodies that travel. What enters here was decided before: nothing is looked up and nothing is decided anew. */
import type { Instant, Problem } from '../kernel/index.ts'
import { canonicalDecimals } from './canonical-decimals.ts'
import { isListedEmpty } from './check-means.ts'
import { mergeWarnings } from './findings.ts'
import { type Candidate, matchUnits, type TripContext } from './match-units.ts'
import type {
  Cancellation,
  Clearance,
  Declaration,
  DeclarationKind,
  Departure,
  ListedContainer,
  ListedWagon,
  Reloading,
} from './model.ts'
import type { BodyType } from './parse-body.ts'

/** A first sending goes by the kind of clearance; whatever follows on the same declaration amends it. */
export function clearanceMessageType(
  kind: DeclarationKind,
  wasSent: boolean,
): Extract<BodyType, 'EXP-CLR' | 'TRN-CLR' | 'AMD'> {
  if (wasSent) return 'AMD'
  return kind === 'TR' ? 'TRN-CLR' : 'EXP-CLR'
}

/**
 * Makes the body of EXP-CLR, TRN-CLR or AMD: the clearance with canonical decimals and the warnings it travels with.
 *
 * @param clearance what eligibility let out, already without exempt lines
 * @law STOP-2021/2.1-r1
 */
export function composeClearance(clearance: Clearance, warnings: readonly Problem[]): Clearance {
  return withWarnings(canonicalDecimals(clearance), warnings)
}

function withWarnings<Whole extends Clearance | Departure>(body: Whole, warnings: readonly Problem[]): Whole {
  const { warnings: _, ...plain } = body
  const merged = mergeWarnings(warnings)
  return (merged.length === 0 ? plain : { ...plain, warnings: merged }) as Whole
}

/**
 * Makes the body of CNL: what was sent about this declaration is no longer so. It says neither why nor what: a record
 * that is withdrawn because it may not be sent looks like any other.
 */
export function composeCancellation(
  record: { readonly declaration: Pick<Declaration, 'id' | 'kind' | 'versionId'> },
  decision: { readonly statusCode: 'withdrawn' | 'cancelled'; readonly effectiveDateTime: Instant },
): Cancellation {
  const { id, kind, versionId } = record.declaration
  return { declaration: { id, kind, versionId }, customsDecision: decision }
}

/**
 * Makes the body of DEP: what was handed over, on which leg.
 *
 * A unit names a declaration only where a clearance that was sent covers it. Every other loaded unit is a mere means of
 * transport, without masses and packages, so that a unit whose data are withheld, undecided or never made looks the
 * same; an empty unit keeps its masses, since it has no goods.
 * @param sent the clearances as they were sent, after exempt lines were left out
 * @law STOP-2021/1.2-r1, STOP-2021/2.3-r1, STOP-2021/6.4
 */
export function composeDeparture(
  departure: Departure,
  sent: readonly Candidate[],
  warnings: readonly Problem[],
  trips?: TripContext,
): Departure {
  const covered = new Map(
    matchUnits(departure, sent, trips).units.map(({ kind, id, declarationIds }) => [`${kind} ${id}`, declarationIds]),
  )
  const named = (kind: 'container' | 'wagon', id: string) => covered.get(`${kind} ${id}`) ?? []
  const body = canonicalDecimals({
    ...departure,
    wagons: departure.wagons.map((wagon) => bareWagon(wagon, named('wagon', wagon.number))),
    containers: departure.containers.map((box) => bareContainer(box, named('container', box.id))),
    ...(departure.reloadings && {
      reloadings: departure.reloadings.map((reloading) =>
        bareReloading(reloading, (id) => named('container', id).length > 0),
      ),
    }),
  })
  return withWarnings(
    body,
    warnings.filter(({ pointer }) => standsIn(body, pointer)),
  )
}

function bareWagon(wagon: ListedWagon, declarationIds: readonly string[]): ListedWagon {
  const { declarationIds: _, ...plain } = wagon
  if (declarationIds.length > 0) return { ...plain, declarationIds: [...declarationIds] }
  if (wagon.loadState === 'empty') return plain
  const { grossMass: _gross, netMass: _net, ...bare } = plain
  return bare
}

function bareContainer(box: ListedContainer, declarationIds: readonly string[]): ListedContainer {
  const { declarationIds: _, ...plain } = box
  if (declarationIds.length > 0) return { ...plain, declarationIds: [...declarationIds] }
  if (isListedEmpty(box)) return plain
  const { grossMass: _gross, packageQuantity: _packages, ...bare } = plain
  return bare
}

/** A mass at reloading is told for a box whose data were sent, and for no other. */
function bareReloading(reloading: Reloading, isCovered: (equipmentId: string) => boolean): Reloading {
  return {
    ...reloading,
    moves: reloading.moves.map((move) => {
      if (move.equipmentId !== undefined && isCovered(move.equipmentId)) return move
      const { massAfter: _, ...bare } = move
      return bare
    }),
  }
}

/** A warning about an element that does not travel does not travel either. */
function standsIn(body: object, at: string): boolean {
  const tokens = at.split('/').slice(1)
  let held: unknown = body
  for (const token of tokens) {
    if (typeof held !== 'object' || held === null || !Object.hasOwn(held, token)) return false
    held = (held as Readonly<Record<string, unknown>>)[token]
  }
  return true
}
