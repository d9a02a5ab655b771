/** Checks what carries the goods: containers, wagons, stations and seals. Shared by clearances, lists and departures. */
import { addDecimals, compareDecimals, type Problem, subtractDecimals } from '../kernel/index.ts'
import { type CheckContext, finding, type Path, repeats, slipSearch } from './findings.ts'
import { checkContainerNumber, checkEsrStation, checkWagonNumber } from './identifiers.ts'
import type { Equipment, Seal, Station, Wagon } from './model.ts'

export function checkStation(station: Station | undefined, path: Path): Problem[] {
  if (station?.esr === undefined) return []
  const found = checkEsrStation(station.esr)
  if (found === 'ok') return []
  const code = found === 'format' ? 'clearance/station-code-format' : 'clearance/station-check-digit'
  return [finding(code, [...path, 'esr'], { station: station.esr })]
}

export function checkContainers(containers: readonly Equipment[], path: Path): Problem[] {
  return [
    ...containers.flatMap(({ id }, index) => containerNumberProblems(id, [...path, index, 'id'])),
    ...repeats(containers, ({ id }) => id).map((index) =>
      finding('clearance/container-repeated', [...path, index, 'id'], { container: containers[index]?.id ?? '' }),
    ),
  ]
}

function containerNumberProblems(id: string, path: Path): Problem[] {
  const found = checkContainerNumber(id)
  if (found === 'ok') return []
  const code = found === 'format' ? 'clearance/container-not-iso-6346' : 'clearance/container-check-digit'
  return [finding(code, path, { container: id })]
}

export function checkWagons(wagons: readonly Wagon[], path: Path): Problem[] {
  return [
    ...wagons.flatMap(({ number, idTypeCode }, index) => {
      const found = checkWagonNumber(number, idTypeCode)
      if (found === 'ok') return []
      const code = found === 'format' ? 'clearance/wagon-number-format' : 'clearance/wagon-check-digit'
      return [finding(code, [...path, index, 'number'], { wagon: number })]
    }),
    ...wagons.flatMap(({ grossMass, netMass, number }, index) =>
      grossMass !== undefined && netMass !== undefined && compareDecimals(netMass, grossMass) > 0
        ? [finding('clearance/net-over-gross', [...path, index, 'netMass'], { wagon: number })]
        : [],
    ),
    ...repeats(wagons, ({ number }) => number).map((index) =>
      finding('clearance/wagon-repeated', [...path, index, 'number'], { wagon: wagons[index]?.number ?? '' }),
    ),
  ]
}

/** A container that names a wagon must find it among the wagons; where no wagon is stated there is nothing to find. */
export function checkLoading(containers: readonly Equipment[], wagons: readonly Wagon[], path: Path): Problem[] {
  if (wagons.length === 0) return []
  const known = new Set(wagons.map(({ number }) => number))
  const closeTo = slipSearch(known)
  return containers.flatMap(({ onWagon }, index) =>
    onWagon === undefined || known.has(onWagon)
      ? []
      : [notListed('clearance/wagon-not-listed', 'wagon', onWagon, closeTo(onWagon), [...path, index, 'onWagon'])],
  )
}

export function notListed(code: string, fact: string, value: string, closeTo: string | undefined, path: Path): Problem {
  return finding(code, path, closeTo === undefined ? { [fact]: value } : { [fact]: value, closeTo })
}

export function isListedEmpty(container: Equipment): boolean {
  return container.fullnessCode === '4'
}

const SEAL_EXCEPTIONS: ReadonlySet<string> = new Set(['replaced-without-act', 'broken', 'missing'])

/** Seals whose state needs a look, and seal codes that no list knows. */
export function checkSeals(seals: readonly Seal[] | undefined, path: Path, context: CheckContext): Problem[] {
  const { sealConditions, sealingParties } = context.reference
  return (seals ?? []).flatMap((seal, index) => {
    const at = [...path, 'seals', index]
    return [
      ...(seal.state !== undefined && SEAL_EXCEPTIONS.has(seal.state)
        ? [finding('clearance/seal-exception', [...at, 'state'], { state: seal.state })]
        : []),
      ...unknownCode(seal.conditionCode, sealConditions, 'seal-conditions', [...at, 'conditionCode']),
      ...unknownCode(seal.sealingPartyRole, sealingParties, 'sealing-parties', [...at, 'sealingPartyRole']),
    ]
  })
}

export function unknownCode(value: string | undefined, list: ReadonlySet<string>, name: string, path: Path): Problem[] {
  return value === undefined || list.has(value) ? [] : [finding('clearance/code-unknown', path, { list: name })]
}

/** Usual tare in kg by the length that a size and type code begins with; the heaviest stands for an unknown box. */
const USUAL_TARES: ReadonlyMap<string, string> = new Map([
  ['2', '2400'],
  ['4', '4000'],
])
const HEAVIEST_USUAL_TARE = '4800'

/** A box listed as empty that weighs as if it were loaded: the finding that must not wait for the train. */
export function checkEmptyContainers(containers: readonly Equipment[], path: Path, context: CheckContext): Problem[] {
  return containers.flatMap((container, index) => {
    if (!isListedEmpty(container) || container.grossMass === undefined) return []
    const tare = container.tareMass ?? USUAL_TARES.get(container.sizeTypeCode?.[0] ?? '') ?? HEAVIEST_USUAL_TARE
    return tooHeavy(container.grossMass, tare, { container: container.id }, [...path, index, 'grossMass'], context)
  })
}

/** The same of a wagon: by its net mass, or by gross over tare. */
export function checkEmptyWagons(wagons: readonly Wagon[], path: Path, context: CheckContext): Problem[] {
  return wagons.flatMap((wagon, index) => {
    if (wagon.loadState !== 'empty') return []
    const gross = wagon.netMass ?? wagon.grossMass
    const tare = wagon.netMass === undefined ? wagon.tareMass : '0'
    if (gross === undefined || tare === undefined) return []
    const member = wagon.netMass === undefined ? 'grossMass' : 'netMass'
    return tooHeavy(gross, tare, { wagon: wagon.number }, [...path, index, member], context)
  })
}

function tooHeavy(gross: string, tare: string, unit: Problem['facts'], path: Path, { rules }: CheckContext): Problem[] {
  if (compareDecimals(gross, addDecimals([tare, rules.bound('clearance/empty-too-heavy', 'emptyExcessKgMax')])) <= 0)
    return []
  return [finding('clearance/empty-too-heavy', path, { ...unit, excessKg: subtractDecimals(gross, tare) })]
}
