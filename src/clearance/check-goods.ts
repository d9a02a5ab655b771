/** Checks what each goods line says of itself: its codes, dangerous goods, packages and serial numbers. */
import { compareDecimals, type Problem } from '../kernel/index.ts'
import { notListed, unknownCode } from './check-means.ts'
import { packagesOf } from './check-sums.ts'
import { isEaeu } from './customs-unions.ts'
import { type CheckContext, finding, type Path, repeats, slipSearch } from './findings.ts'
import { checkUnNumber, checkVin } from './identifiers.ts'
import type { Clearance, GoodsItem } from './model.ts'
import type { Reference } from './reference/index.ts'

export function checkGoods(clearance: Clearance, { reference }: CheckContext): Problem[] {
  const containers = new Set(clearance.equipment.map(({ id }) => id))
  const empties = new Set(clearance.equipment.flatMap((box) => (box.fullnessCode === '4' ? [box.id] : [])))
  const wagons = new Set(clearance.wagons.map(({ number }) => number))
  const [closeContainer, closeWagon] = [slipSearch(containers), slipSearch(wagons)]
  const inEaeu = isEaeu(clearance.consignment.exportCountry)
  return [
    ...clearance.items.flatMap((item, index) => {
      const at = ['items', index]
      return [
        ...commodityCode(item, inEaeu, reference, [...at, 'commodityCode']),
        ...dangerousGoods(item, reference, [...at, 'dangerousGoods']),
        ...packaging(item, reference, [...at, 'packages']),
        ...vehicles(item, at),
        ...units(item.equipmentIds, containers, 'container', closeContainer, [...at, 'equipmentIds']),
        ...units(item.wagonNumbers, wagons, 'wagon', closeWagon, [...at, 'wagonNumbers']),
        ...(item.equipmentIds ?? []).flatMap((id, place) =>
          empties.has(id)
            ? [finding('clearance/empty-with-goods', [...at, 'equipmentIds', place], { container: id })]
            : [],
        ),
      ]
    }),
    ...repeats(clearance.items, ({ sequence }) => String(sequence)).map((index) =>
      finding('clearance/item-sequence-repeated', ['items', index, 'sequence']),
    ),
    ...repeatedSerials(clearance.items),
  ]
}

/** How many digits national codes have: those of the Harmonized System, two or four more, and China's thirteen. */
const CODE_LENGTHS: ReadonlySet<number> = new Set([6, 8, 10, 13, 14])
/** Types of classification that name a nation's tariff and not whose. */
const NATIONAL_TYPES: ReadonlySet<string | undefined> = new Set([undefined, 'TSP'])

/**
 * The six digits of the Harmonized System must be known; the national digits behind them only where their list is: an
 * unknown suffix of a known subheading is most often a newer edition. A number of digits that no tariff has is a slip,
 * such as a zero that a spreadsheet took from the front, which makes other goods of it.
 */
function commodityCode(
  { commodityCode: code, classificationType }: GoodsItem,
  inEaeu: boolean,
  reference: Reference,
  path: Path,
): Problem[] {
  if (code.length < 6) return [finding('clearance/hs-heading-only', path)]
  if (!reference.hs6.has(code.slice(0, 6))) return [finding('clearance/hs-unknown', path, { hs6: code.slice(0, 6) })]
  const isEaeuCode = classificationType === 'TNVED' || (inEaeu && NATIONAL_TYPES.has(classificationType))
  const isUnknown = isEaeuCode && code.length >= 10 && !reference.tnved10.has(code.slice(0, 10))
  if (CODE_LENGTHS.has(code.length) && !isUnknown) return []
  return [finding('clearance/national-suffix-unknown', path, { code: code.slice(0, 10) })]
}

function dangerousGoods(
  { commodityCode: code, dangerousGoods: stated = [] }: GoodsItem,
  reference: Reference,
  path: Path,
): Problem[] {
  const expected = reference.dangerousGoods.get(code.slice(0, 6))
  if (expected !== undefined && stated.length === 0)
    return [finding('clearance/un-number-missing', path, { hs6: code.slice(0, 6), expected: expected.join(' ') })]
  return stated.flatMap((number, index) =>
    checkUnNumber(number) === 'ok' ? [] : [finding('clearance/un-number-format', [...path, index])],
  )
}

/** Codes of pieces and sets: UN/CEFACT Rec 20, the EAEU unit classifier, China's statutory units. */
const PIECES: ReadonlySet<string> = new Set([
  ...['C62', 'EA', 'H87', 'NAR', 'NMB', 'PCE', 'SET'],
  ...['796', '839'],
  ...['001', '003', '006', '007', '008', '011'],
])

/** More packages than pieces is lawful (a set in two cartons) and worth a glance. */
function packaging(item: GoodsItem, reference: Reference, path: Path): Problem[] {
  const types = (item.packages ?? []).flatMap(({ typeCode }, index) =>
    unknownCode(typeCode, reference.packageTypes, 'package-types', [...path, index, 'typeCode']),
  )
  const packages = packagesOf(item)
  const { value: pieces = '0', unitCode = '' } = item.supplementaryQuantity ?? {}
  const exceed = packages !== undefined && PIECES.has(unitCode) && compareDecimals(String(packages), pieces) > 0
  return exceed ? [...types, finding('clearance/packages-exceed-units', path, { packages, units: pieces })] : types
}

function vehicles({ identifiers = [] }: GoodsItem, path: Path): Problem[] {
  return identifiers.flatMap(({ typeCode, id }, index) =>
    typeCode.toUpperCase() === 'VIN' && checkVin(id) !== 'ok'
      ? [finding('clearance/vin-format', [...path, 'identifiers', index, 'id'])]
      : [],
  )
}

function repeatedSerials(items: readonly GoodsItem[]): Problem[] {
  const serials = items.flatMap(({ identifiers = [] }, item) =>
    identifiers.map(({ typeCode, id }, index) => ({
      key: `${typeCode} ${id}`,
      path: ['items', item, 'identifiers', index, 'id'],
    })),
  )
  return repeats(serials, ({ key }) => key).map((index) =>
    finding('clearance/serial-repeated', serials[index]?.path ?? []),
  )
}

function units(
  named: readonly string[] | undefined,
  known: ReadonlySet<string>,
  unit: 'container' | 'wagon',
  closeTo: (id: string) => string | undefined,
  path: Path,
): Problem[] {
  return (named ?? []).flatMap((id, index) =>
    known.has(id) ? [] : [notListed(`clearance/${unit}-not-listed`, unit, id, closeTo(id), [...path, index])],
  )
}
