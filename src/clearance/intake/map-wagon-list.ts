import type { HomeRecord, ListedContainer, ListedWagon, RailwayList, Station } from '../model.ts'
import type { Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { consignmentsOf, firstOf, locationOf, unitsOf } from './unece-parts.ts'
import { distinct, present, someOf } from './values.ts'

type Note = NonNullable<ListedWagon['notes']>[number]

/** Members that the published schema of the rail wagon list allows in a document and in a consignment. */
const LIST_HEADER = new Set(['id', 'issueDateTime', 'firstSignatoryDocumentAuthentication'])
const LIST_CONSIGNMENT = new Set([
  ...['id', 'carrierAcceptanceDateTime', 'grossWeight', 'associatedInvoiceAmount', 'consignor', 'consignee', 'carrier'],
  ...['carrierAcceptanceLogisticsLocation', 'deliveryEvent', 'includedConsignmentItem'],
  ...[
    'utilizedLogisticsTransportEquipment',
    'mainCarriageLogisticsTransportMovement',
    'applicableLogisticsServiceCharge',
  ],
])

/**
 * Decides whether a UN/CEFACT rail document is a wagon list and not a consignment note: both begin alike, and the list
 * is the one that holds nothing which its schema forbids.
 */
export function isWagonList(document: SourceNode): boolean {
  const known = document.children.every(({ name }) => name === 'exchangedDocument' || name === 'specifiedConsignment')
  const [header] = document.named('exchangedDocument')
  return (
    known &&
    (header?.children ?? []).every(({ name }) => LIST_HEADER.has(name)) &&
    document
      .named('specifiedConsignment')
      .every((each) => each.children.every(({ name }) => LIST_CONSIGNMENT.has(name)))
  )
}

/**
 * Maps a UN/CEFACT D23B rail wagon list in JSON: what the railway listed for one leg.
 *
 * The standard knows no train, so the leg is told by the list's number, its date and its two stations; a list whose
 * consignments were accepted at, or go to, different stations tells no leg and is refused.
 *
 * @param document the root of the JSON object
 * @returns the record, or undefined when `reading` holds at least one problem
 */
export function mapWagonList(document: SourceNode, reading: Reading): HomeRecord | undefined {
  const r = reading
  const header = r.one(document, 'exchangedDocument')
  const consignments = consignmentsOf(document, r)
  const from = stationShared(consignments, ['carrierAcceptanceLogisticsLocation'], r)
  const to = stationShared(consignments, ['deliveryEvent', 'occurrenceLogisticsLocation'], r)
  const wagons = new Map<string, ListedWagon>()
  const containers = new Map<string, ListedContainer>()
  for (const consignment of consignments) {
    const number = firstOf(r.many(consignment, 'id'), r.identifier(35), r)
    const date = r.may(r.one(consignment, 'carrierAcceptanceDateTime'), r.date)
    const notes: Note[] = number === undefined ? [] : [present({ number, date })]
    const units = unitsOf(consignment, r)
    const only = units.wagons.length + units.containers.length === 1
    const grossMass = only ? r.may(r.one(consignment, 'grossWeight'), r.mass) : undefined
    for (const wagon of units.wagons) listUnit(wagons, wagon.number, present({ grossMass, ...wagon }), notes)
    for (const box of units.containers) listUnit(containers, box.id, present({ grossMass, ...box }), notes)
  }
  const content: RailwayList = {
    leg: present({
      transferListNumber: r.may(r.one(header, 'id'), r.identifier(17)),
      transferListDate: r.may(r.one(header, 'issueDateTime'), r.date),
      from: from ?? {},
      to: to ?? {},
    }),
    wagons: [...wagons.values()],
    containers: [...containers.values()],
  }
  return r.problems.some ? undefined : { record: 'railway-list', content }
}

/** A unit that several consignments share is listed once, with the notes of all of them. */
function listUnit<Unit extends { notes?: Note[] }>(
  units: Map<string, Unit>,
  id: string,
  unit: Unit,
  notes: Note[],
): void {
  const known = units.get(id)
  const all = distinct([...(known?.notes ?? []), ...notes])
  units.set(id, present({ ...unit, ...known, notes: someOf(all) }))
}

function stationShared(consignments: readonly SourceNode[], path: readonly string[], r: Reading): Station | undefined {
  const stations = distinct(consignments.flatMap((each) => locationOf(r.one(each, ...path), r) ?? []))
  const [only, second] = stations
  const [first] = consignments
  if (first !== undefined && (only === undefined || second !== undefined))
    r.refuse('intake/leg-not-determined', first, { element: path.join('/'), stations: stations.length })
  return second === undefined ? only : undefined
}
