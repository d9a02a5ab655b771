/**
 * Makes the record of the remaining lines when exempt lines must stay at home.
 *
 * Why before signing: item numbers, totals, units and digests are those of the filtered record, so that nothing that
 * travels counts, weighs or numbers what was left out.
 */
import { addDecimals } from '../kernel/index.ts'
import { addWhenAll, packagesOf, sumWhenAll } from './check-sums.ts'
import type { Amount, Clearance, HomeDeclaration } from './model.ts'
import { documentCode } from './read-exclusion-signs.ts'
import type { ExclusionMarks } from './reference/index.ts'

type HomeItem = HomeDeclaration['items'][number]
type Item = Clearance['items'][number]

const unitsOf = ({ equipmentIds = [], wagonNumbers = [] }: HomeItem): readonly string[] => [
  ...equipmentIds,
  ...wagonNumbers,
]
const unitsOfAll = (items: readonly HomeItem[]): ReadonlySet<string> => new Set(items.flatMap(unitsOf))
/** Weighed and packed for itself; a line of no packages lies in another line's. */
const standsAlone = (item: HomeItem): boolean => item.grossMass !== undefined && (packagesOf(item) ?? 0) > 0

/**
 * Decides whether lines can be left out of a declaration without what remains still speaking of them.
 *
 * The rule: lines whose containers and wagons carry no remaining line are separable. Lines that share a unit with a
 * remaining line, or whose unit nobody stated while there is one at most, are separable when every line of that unit
 * states its own gross mass and at least one package of its own. Anything else is inseparable.
 * @param leftOut positions of the lines, from 0
 */
export function areSeparable(home: HomeDeclaration, leftOut: ReadonlySet<number>): boolean {
  const { items, equipment, wagons } = home
  if (items.some((item) => unitsOf(item).length === 0))
    return Math.max(equipment.length, equipment.length === 0 ? wagons.length : 0) <= 1 && items.every(standsAlone)
  const away = unitsOfAll(items.filter((_, index) => leftOut.has(index)))
  const kept = unitsOfAll(items.filter((_, index) => !leftOut.has(index)))
  const shared = new Set([...away].filter((unit) => kept.has(unit)))
  return items.every((item) => standsAlone(item) || !unitsOf(item).some((unit) => shared.has(unit)))
}

/** A declaration as it may travel: without what home says of its lines to decide about them. */
export function withoutExclusions({ exclusion: _, ...home }: HomeDeclaration): Clearance {
  return { ...home, items: home.items.map(withoutExclusion) }
}

function withoutExclusion({ exclusion: _, procedureCode: _procedure, consignee: _consignee, ...item }: HomeItem): Item {
  return item
}

/**
 * Makes the clearance of the remaining lines: new item numbers, totals added up anew from the lines, units of theirs
 * alone. What cannot be made from the remaining lines is left out: a total some line does not state, the figures of a
 * shared box, documents that may speak of the other goods, consignment notes once a unit is gone.
 *
 * @param leftOut positions of the lines, from 0; they must be separable and not all
 */
export function leaveOutLines(home: HomeDeclaration, leftOut: ReadonlySet<number>, marks: ExclusionMarks): Clearance {
  const whole = withoutExclusions(home)
  if (leftOut.size === 0) return whole
  const kept = whole.items.filter((_, index) => !leftOut.has(index))
  const units = remainingUnits(whole, kept, leftOut)
  const goneUnits = units.equipment.length < whole.equipment.length || units.wagons.length < whole.wagons.length
  return {
    ...whole,
    ...units,
    declaration: remainingHeader(whole.declaration, kept),
    consignment: goneUnits ? without(whole.consignment, 'notes') : whole.consignment,
    items: kept.map((item, index) => ({ ...item, sequence: index + 1 })),
    ...(whole.documents && {
      documents: whole.documents.filter(({ typeCode }) => marks.commercialDocuments.has(documentCode(typeCode))),
    }),
    customsDecision: without(whole.customsDecision, 'controlTypeCodes', 'controlResult'),
  }
}

function without<Whole extends object, Name extends keyof Whole>(whole: Whole, ...names: Name[]): Omit<Whole, Name> {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !names.includes(name as Name))) as Omit<
    Whole,
    Name
  >
}

function remainingHeader(header: Clearance['declaration'], kept: readonly Item[]): Clearance['declaration'] {
  const netMass = addWhenAll(kept.map((item) => item.netMass))
  return defined<Clearance['declaration']>({
    ...without(header, 'previousDocuments'),
    goodsItemQuantity: header.goodsItemQuantity === undefined ? undefined : kept.length,
    totalPackageQuantity: onlyIf(header.totalPackageQuantity, sumWhenAll(kept.map(packagesOf))),
    totalGrossMass: onlyIf(header.totalGrossMass, addWhenAll(kept.map((item) => item.grossMass))),
    totalNetMass: onlyIf(header.totalNetMass, netMass),
    invoiceAmount: onlyIf(header.invoiceAmount, addAmounts(kept.map((item) => item.amount))),
    temporary: header.temporary && defined({ ...header.temporary, netMass: onlyIf(header.temporary.netMass, netMass) }),
  })
}

const onlyIf = <Stated, Anew>(stated: Stated | undefined, anew: Anew): Anew | undefined =>
  stated === undefined ? undefined : anew

/** Drops the members that are undefined, so that an absent total is absent and not empty. */
function defined<Whole extends object>(whole: { readonly [Name in keyof Whole]: Whole[Name] | undefined }): Whole {
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)) as Whole
}

function addAmounts(amounts: ReadonlyArray<Amount | undefined>): Amount | undefined {
  const known = amounts.filter((amount) => amount !== undefined)
  const currencies = new Set(known.map(({ currency }) => currency))
  const [currency] = currencies
  if (known.length < amounts.length || currencies.size !== 1 || currency === undefined) return undefined
  return { value: addDecimals(known.map(({ value }) => value)), currency }
}

/** Units of the remaining lines, without the figures of those they shared with a line that was left out. */
function remainingUnits(
  whole: Clearance,
  kept: readonly Item[],
  leftOut: ReadonlySet<number>,
): Pick<Clearance, 'equipment' | 'wagons'> {
  const stated = whole.items.every((item) => unitsOf(item).length > 0)
  const theirs = unitsOfAll(kept)
  const away = unitsOfAll(whole.items.filter((_, index) => leftOut.has(index)))
  const isShared = (unit: string) => !stated || away.has(unit)
  const equipment = whole.equipment.filter(({ id }) => !stated || theirs.has(id))
  const carrying = new Set(equipment.flatMap(({ onWagon }) => onWagon ?? []))
  const alsoAway = new Set(
    whole.equipment.flatMap(({ id, onWagon }) => (onWagon !== undefined && away.has(id) ? [onWagon] : [])),
  )
  return {
    equipment: equipment.map((box) => (isShared(box.id) ? without(box, 'grossMass', 'packageQuantity') : box)),
    wagons: whole.wagons
      .filter(({ number }) => !stated || theirs.has(number) || carrying.has(number))
      .map((wagon) =>
        isShared(wagon.number) || alsoAway.has(wagon.number) ? without(wagon, 'grossMass', 'netMass') : wagon,
      ),
  }
}
