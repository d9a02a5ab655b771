import type { Instant, Problem } from '../kernel/index.ts'
import {
  checkContainers,
  checkEmptyContainers,
  checkEmptyWagons,
  checkLoading,
  checkSeals,
  checkStation,
  checkWagons,
  isListedEmpty,
} from './check-means.ts'
import { checkValues } from './check-values.ts'
import { type CheckContext, finding } from './findings.ts'
import type { Departure, Leg, RailwayList } from './model.ts'
import type { Reference } from './reference/index.ts'
import type { RuleProfile } from './rule-profile.ts'

/**
 * Lists what is doubtful in the railway's list of one leg: numbers, repeats, seals, and empties too heavy to be empty.
 *
 * Why: the list is the carrier's data and the denominator of everything; it is taken as it is, with its defects marked.
 * @returns warnings with JSON pointers into the list
 */
export function checkRailwayList(list: RailwayList, reference: Reference, rules: RuleProfile, now: Instant): Problem[] {
  return checkTrain(list, { reference, rules, now })
}

/** Lists what is doubtful in a departure: as for the railway's list, since it lists the same means of transport. */
export function checkDeparture(
  departure: Departure,
  reference: Reference,
  rules: RuleProfile,
  now: Instant,
): Problem[] {
  return checkTrain(departure, { reference, rules, now })
}

function checkTrain(train: RailwayList | Departure, context: CheckContext): Problem[] {
  const { leg, wagons, containers } = train
  return [
    ...checkStation(leg.from, ['leg', 'from']),
    ...checkStation(leg.to, ['leg', 'to']),
    ...checkTimes(leg, context),
    ...checkContainers(containers, ['containers']),
    ...checkWagons(wagons, ['wagons']),
    ...checkLoading(containers, wagons, ['containers']),
    ...checkEmptyContainers(containers, ['containers'], context),
    ...checkEmptyWagons(wagons, ['wagons'], context),
    ...checkUnsealed(containers),
    ...containers.flatMap(({ seals }, index) => checkSeals(seals, ['containers', index], context)),
    ...wagons.flatMap(({ seals }, index) => checkSeals(seals, ['wagons', index], context)),
    ...checkValues(train, context),
  ].filter(({ code }) => context.rules.warns(code))
}

function checkTimes(leg: Leg, { now, rules }: CheckContext): Problem[] {
  const aheadSeconds = Number(rules.bound('clearance/departure-in-future', 'aheadSecondsMax'))
  const departed = Date.parse(leg.departedAt ?? '')
  return [
    ...(Date.parse(leg.arrivedAt ?? '') < departed
      ? [finding('clearance/arrival-before-departure', ['leg', 'arrivedAt'])]
      : []),
    ...(departed > Date.parse(now) + aheadSeconds * 1000
      ? [finding('clearance/departure-in-future', ['leg', 'departedAt'])]
      : []),
  ]
}

/** A list without any seal leaves seals out; one loaded box without a seal among sealed ones is looked at. */
function checkUnsealed(containers: RailwayList['containers']): Problem[] {
  const sealed = (box: RailwayList['containers'][number]) => (box.seals ?? []).length > 0
  if (!containers.some(sealed)) return []
  return containers.flatMap((box, index) =>
    sealed(box) || isListedEmpty(box)
      ? []
      : [finding('clearance/container-without-seal', ['containers', index], { container: box.id })],
  )
}
