import type { HomeRecord, ListedContainer, ListedWagon, RailwayList, Station } from '../model.ts'
import type { Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { consignmentsOf, firstOf, locationOf, unitsOf } from './unece-parts.ts'
import { distinct, present, someOf } from './values.ts'

type Note = NonNullable<ListedWagon['notes']>[number]

/** Members that the published schemas of the consignment notes know and that of the rail wagon list forbids. */
const NOTE_DOCUMENT = new Set(['exchangedDocumentContext', 'exchangedDeclaration'])
const NOTE_HEADER = new Set([
  ...['typeCode', 'purposeCode', 'amendmentPurposeCode', 'includedNote', 'information', 'referenceReferencedDocument'],
  ...['contractualDocumentClause', 'secondSignatoryDocumentAuthentication', 'sender', 'senderAssignedId'],
  ...['recipient', 'recipientAssignedId', 'versionId', 'languageId'],
])
const NOTE_CONSIGNMENT = new Set([
  ...['carrierAssignedId', 'consignorAssignedId', 'sequenceNumeric', 'carrierProvidedInformation', 'chargeableWeight'],
  ...['contractTermsInformation', 'declaredValueForCarriageAmount', 'insuranceValueAmount', 'totalChargeAmount'],
  ...['totalAllowanceChargeAmount', 'totalCollectChargeAmount', 'transportEquipmentQuantity', 'consignorAgent'],
  ...['shipTo', 'declaredForCustomsLogisticsLocation', 'finalDestinationLogisticsLocation', 'exportTradeCountry'],
  ...['transshipmentLogisticsLocation', 'transportContractReferencedDocument', 'associatedReferencedDocument'],
  ...['physicalLogisticsShippingMarks', 'handlingInstructions', 'transportEvent', 'examinationEvent'],
  ...['includedReferencedConsignment', 'specifiedLogisticsTransportMovement', 'specifiedTradeDeliveryTerms'],
  ...['applicableTradeCurrencyExchange', 'invoiceApplicableTradeCurrencyExchange', 'transportService'],
  ...['serviceChargeApplicableTradeCurrencyExchange', 'applicableTradeAllowanceCharge'],
  'applicableCrossBorderRegulatoryProcedure',
])

/**
 * Decides whether a UN/CEFACT rail document is a wagon list and not a consignment note: both begin alike, and the list
 * holds nothing that only a note may hold. What neither knows decides nothing.
 */
export function isWagonList(document: SourceNode): boolean {
  const holds = (node: SourceNode | undefined, names: ReadonlySet<string>) =>
    (node?.children ?? []).some(({ name }) => names.has(name))
  return !(
    holds(document, NOTE_DOCUMENT) ||
    holds(document.named('exchangedDocument')[0], NOTE_HEADER) ||
    document.named('specifiedConsignment').some((each) => holds(each, NOTE_CONSIGNMENT))
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
    const mass = only ? r.may(r.one(consignment, 'grossWeight'), r.mass) : undefined
    // Boxes stand on the only wagon of their consignment; the list has no other way to say so.
    const [carrier, ...others] = units.wagons
    const onWagon = others.length === 0 ? carrier?.number : undefined
    for (const wagon of units.wagons) listUnit(wagons, wagon.number, present({ netMass: mass, ...wagon }), notes)
    for (const box of units.containers)
      listUnit(containers, box.id, present({ grossMass: mass, onWagon, ...box }), notes)
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

/** More different stations than this need no counting. */
const STATIONS_MAX = 10

function stationShared(consignments: readonly SourceNode[], path: readonly string[], r: Reading): Station | undefined {
  const stations: Station[] = []
  for (const consignment of consignments) {
    const station = locationOf(r.one(consignment, ...path), r)
    const at = stations.findIndex((other) => station !== undefined && isOneStation(other, station))
    if (station !== undefined && at < 0 && stations.length < STATIONS_MAX) stations.push(station)
    if (station !== undefined && at >= 0) stations[at] = { ...station, ...stations[at] }
  }
  const [only, second] = stations
  const [first] = consignments
  if (first !== undefined && (only === undefined || second !== undefined))
    r.refuse('intake/leg-not-determined', first, { element: path.join('/'), stations: stations.length })
  return second === undefined ? only : undefined
}

/** One consignment may give the code of a station and another only its name. */
function isOneStation(a: Station, b: Station): boolean {
  const codes = (['esr', 'unLocode'] as const).filter((code) => a[code] !== undefined && b[code] !== undefined)
  if (codes.length > 0) return codes.every((code) => a[code] === b[code])
  return a.name !== undefined && a.name.text.toLowerCase() === b.name?.text.toLowerCase()
}
