/**
 * Compares masses, packages and counts of two levels. A rule runs only where both levels are present in full: a
 * declaration may state mass and packages once in its header, per container or per item.
 */
import { addDecimals, compareDecimals, type DecimalText, type Problem, withinPercent } from '../kernel/index.ts'
import { type CheckContext, finding } from './findings.ts'
import type { Clearance, GoodsItem } from './model.ts'

export function checkSums(clearance: Clearance, context: CheckContext): Problem[] {
  return [
    ...itemCount(clearance),
    ...packages(clearance),
    ...netOverGross(clearance),
    ...(clearance.declaration.temporary === undefined ? masses(clearance, context) : []),
  ]
}

function itemCount({ declaration, items }: Clearance): Problem[] {
  const stated = declaration.goodsItemQuantity
  if (stated === undefined || stated === items.length) return []
  return [finding('clearance/item-count', ['declaration', 'goodsItemQuantity'], { stated, found: items.length })]
}

/** Packages of an item, or undefined when any of its packagings leaves the number out. */
export function packagesOf({ packages: packagings }: Pick<GoodsItem, 'packages'>): number | undefined {
  return packagings === undefined ? undefined : sumWhenAll(packagings.map(({ quantity }) => quantity))
}

/** The sum when there is something to add and nothing is left out. */
export function sumWhenAll(values: ReadonlyArray<number | undefined>): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 || known.length < values.length ? undefined : known.reduce((a, b) => a + b, 0)
}

/** The decimal sum when there is something to add and nothing is left out. */
export function addWhenAll(values: ReadonlyArray<DecimalText | undefined>): DecimalText | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 || known.length < values.length ? undefined : addDecimals(known)
}

function packages({ declaration, equipment, items }: Clearance): Problem[] {
  const stated = declaration.totalPackageQuantity
  const byItem = sumWhenAll(items.map(packagesOf))
  const byContainer = sumWhenAll(equipment.map(({ packageQuantity }) => packageQuantity))
  const total = ['declaration', 'totalPackageQuantity']
  return [
    ...unequal('clearance/packages-sum', total, stated, byItem, 'items'),
    ...unequal('clearance/packages-sum', ['equipment'], byContainer, stated ?? byItem, 'containers'),
  ]
}

function unequal(code: string, path: string[], a: number | undefined, b: number | undefined, level: string): Problem[] {
  if (a === undefined || b === undefined || a === b) return []
  return [finding(code, path, { stated: a, found: b, level })]
}

function netOverGross({ declaration, items }: Clearance): Problem[] {
  const over = (net: string | undefined, gross: string | undefined) =>
    net !== undefined && gross !== undefined && compareDecimals(net, gross) > 0
  return [
    ...(over(declaration.totalNetMass, declaration.totalGrossMass)
      ? [finding('clearance/net-over-gross', ['declaration', 'totalNetMass'])]
      : []),
    ...items.flatMap((item, index) =>
      over(item.netMass, item.grossMass) ? [finding('clearance/net-over-gross', ['items', index, 'netMass'])] : [],
    ),
  ]
}

function masses({ declaration, equipment, items }: Clearance, { rules }: CheckContext): Problem[] {
  const differ = (code: string) => (a: DecimalText, b: DecimalText) =>
    !withinPercent(a, b, rules.bound(code, 'massTolerancePercent'))
  const grossByItem = addWhenAll(items.map(({ grossMass }) => grossMass))
  const netByItem = addWhenAll(items.map(({ netMass }) => netMass))
  const grossTotal = declaration.totalGrossMass
  const netTotal = declaration.totalNetMass
  const goods = grossTotal ?? grossByItem
  return [
    ...(grossTotal !== undefined &&
    grossByItem !== undefined &&
    differ('clearance/gross-mass-sum')(grossTotal, grossByItem)
      ? [
          finding('clearance/gross-mass-sum', ['declaration', 'totalGrossMass'], {
            statedKg: grossTotal,
            foundKg: grossByItem,
          }),
        ]
      : []),
    ...(netTotal !== undefined && netByItem !== undefined && differ('clearance/net-mass-sum')(netTotal, netByItem)
      ? [finding('clearance/net-mass-sum', ['declaration', 'totalNetMass'], { statedKg: netTotal, foundKg: netByItem })]
      : []),
    ...(goods === undefined ? [] : containerMasses(equipment, goods, differ('clearance/container-mass-sum'))),
  ]
}

/**
 * Boxes against goods. Some systems weigh the box with its tare and some without, so it differs only when neither
 * reading agrees, and nothing is said where a tare is missing.
 */
function containerMasses(
  equipment: Clearance['equipment'],
  goods: DecimalText,
  differ: (a: DecimalText, b: DecimalText) => boolean,
): Problem[] {
  const gross = addWhenAll(equipment.map(({ grossMass }) => grossMass))
  const tare = addWhenAll(equipment.map(({ tareMass }) => tareMass))
  if (gross === undefined || tare === undefined) return []
  if (!differ(gross, goods) || !differ(gross, addDecimals([goods, tare]))) return []
  return [finding('clearance/container-mass-sum', ['equipment'], { statedKg: gross, tareKg: tare, foundKg: goods })]
}
