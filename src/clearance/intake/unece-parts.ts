/** What the UN/CEFACT rail documents (D23B, JSON) share: places, parties, wagons and containers with their seals. */
import type { ConsignmentNote, Equipment, Party, Seal, Station, Wagon } from '../model.ts'
import type { Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { looksLikeContainer, present, someOf, stationFrom, wagonIdType } from './values.ts'

/** Reads the first of a list that the standard leaves open, and notes the others. */
export function firstOf<Value>(
  nodes: readonly SourceNode[],
  read: (node: SourceNode) => Value | undefined,
  r: Reading,
): Value | undefined {
  const [first, second] = nodes
  if (second !== undefined) r.note('intake/element-left-out', second, { others: nodes.length - 1 })
  return r.may(first, read)
}

export function locationOf(node: SourceNode | undefined, r: Reading): Station | undefined {
  if (node === undefined) return undefined
  return stationFrom({
    codes: r.many(node, 'id').flatMap((id) => r.may(id, r.identifier(35)) ?? []),
    name: firstOf(r.many(node, 'name'), r.named(256), r),
    country: r.may(r.one(node, 'countryId') ?? r.one(node, 'postalTradeAddress', 'countryId'), r.country),
  })
}

export function partyOf(node: SourceNode | undefined, r: Reading): Party | undefined {
  if (node === undefined) return undefined
  const address = r.one(node, 'postalTradeAddress')
  const lines = ['streetName', 'cityName', 'countrySubDivisionName', 'postcodeCode']
  return r.party({
    name: firstOf(r.many(node, 'name'), r.named(), r),
    id: firstOf(r.many(node, 'id'), r.identifier(35), r),
    address: r.address(lines.flatMap((name) => r.many(address, name))),
    country: r.may(r.one(address, 'countryId'), r.country),
  })
}

export interface Units {
  readonly wagons: ConsignmentNote['wagons']
  readonly containers: ConsignmentNote['containers']
}

/** UNCL 8053 categories of what runs on rails itself. */
const WAGON_CATEGORIES = new Set(['RR', 'RF', 'BX', 'AT'])
const CONTAINER_CATEGORIES = new Set(['CN', 'AM', 'AJ', 'SW', 'TE', 'AE', 'AQ', 'BPX'])

/**
 * The wagons and containers of one consignment. What carries others is a wagon; for the rest the category decides,
 * then the shape of the number, and a number of digits alone is a wagon's.
 */
export function unitsOf(consignment: SourceNode, r: Reading): Units {
  const wagons: Wagon[] = []
  const containers: Equipment[] = []
  for (const node of r.many(consignment, 'utilizedLogisticsTransportEquipment')) {
    const carried = r.many(node, 'carriedAssociatedTransportEquipment')
    const id = r.may(r.one(node, 'id'), r.unit)
    const category = r.may(r.one(node, 'categoryCode'), r.identifier(3))
    if (id === undefined) {
      r.note('intake/element-left-out', node, { lacks: 'id' })
      continue
    }
    const isWagon = carried.length > 0 || isWagonBy(category, id)
    if (isWagon === undefined) {
      r.note('intake/element-left-out', node, { categoryCode: category ?? '' })
      continue
    }
    if (isWagon) wagons.push(wagonOf(node, id, r))
    else containers.push(containerOf(node, id, undefined, r))
    for (const inner of carried)
      for (const each of r.many(inner, 'id')) {
        const box = r.may(each, r.unit)
        if (box !== undefined) containers.push(containerOf(inner, box, id, r))
      }
  }
  return { wagons, containers }
}

/** Undefined for loading aids such as ropes and tarpaulins, which are neither wagon nor container. */
function isWagonBy(category: string | undefined, id: string): boolean | undefined {
  if (category !== undefined && WAGON_CATEGORIES.has(category)) return true
  if (category !== undefined && CONTAINER_CATEGORIES.has(category)) return false
  if (wagonIdType(id) !== undefined) return true
  if (looksLikeContainer(id)) return false
  return category === undefined ? /^\d+$/.test(id) : undefined
}

function wagonOf(node: SourceNode, number: string, r: Reading): Wagon {
  const state = fullnessOf(node, r)
  return present({
    sequence: r.may(r.one(node, 'sequenceNumeric'), r.integer(0, 99_999)),
    number,
    idTypeCode: wagonIdType(number),
    ownerRailway: firstOf(r.many(r.many(node, 'owner')[0], 'id'), r.identifier(17), r),
    tareMass: r.may(r.one(node, 'tareWeight'), r.mass),
    grossMass: r.may(r.one(node, 'grossWeight'), r.mass),
    loadState: state && (state === '5' ? ('loaded' as const) : ('empty' as const)),
    seals: someOf(sealsOf(node, r)),
  })
}

function containerOf(node: SourceNode, id: string, onWagon: string | undefined, r: Reading): Equipment {
  return present({
    id,
    sizeTypeCode: r.may(r.one(node, 'characteristicCode'), r.identifier(4)),
    fullnessCode: fullnessOf(node, r),
    onWagon,
    grossMass: r.may(r.one(node, 'grossWeight'), r.mass),
    tareMass: r.may(r.one(node, 'tareWeight'), r.mass),
    seals: someOf(sealsOf(node, r)),
  })
}

/** UNCL 8169: only empty and full are told apart. */
function fullnessOf(node: SourceNode, r: Reading): '4' | '5' | undefined {
  const code = r.may(r.one(node, 'usedCapacityCode'), r.identifier(3))
  return code === '4' || code === '5' ? code : undefined
}

function sealsOf(node: SourceNode, r: Reading): Seal[] {
  return r.many(node, 'affixedLogisticsSeal').flatMap((seal) =>
    r.many(seal, 'id').flatMap((each): Seal[] => {
      const id = r.may(each, r.identifier(50))
      if (id === undefined) return []
      return [
        present({
          id,
          typeCode: r.may(r.one(seal, 'typeCode'), r.identifier(3)),
          sealingPartyRole: r.may(r.one(seal, 'sealingPartyRoleCode'), r.identifier(3)),
          conditionCode: firstOf(r.many(seal, 'conditionCode'), r.identifier(3), r),
        }),
      ]
    }),
  )
}

/** The one consignment of a document that is about one; `missing` and `repeated` are problems. */
export function consignmentsOf(document: SourceNode, r: Reading): readonly SourceNode[] {
  const consignments = r.many(document, 'specifiedConsignment')
  if (consignments.length === 0) r.missing(document, ['specifiedConsignment'])
  return consignments
}
