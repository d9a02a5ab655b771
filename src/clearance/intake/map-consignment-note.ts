import type { ConsignmentNote, HomeRecord, NamedText, Station } from '../model.ts'
import type { Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { consignmentsOf, firstOf, locationOf, partyOf, unitsOf } from './unece-parts.ts'
import { distinct, present, someOf } from './values.ts'

type Goods = ConsignmentNote['goods'][number]

/** UNCL 1001: declarations for export and for transit, as a note refers to them. */
const DECLARATION_TYPES = new Set(['830', '950', '820', '821', '822', '952'])
/** UNCL 1153: numbers of a goods declaration to customs, where the document's type only says "related document". */
const DECLARATION_REFERENCES = new Set(['AAE', 'ABT'])

/**
 * Maps a UN/CEFACT D23B rail consignment note (SMGS, CIM/SMGS or uniform rail law) in JSON: the carrier's data on who
 * sends what to whom in which wagons and containers.
 *
 * The number is the carrier's own number of the consignment, else that of the contract of carriage, else that of the
 * document; the date is the day the carrier accepted the goods.
 *
 * @param document the root of the JSON object
 * @returns the record, or undefined when `reading` holds at least one problem
 */
export function mapConsignmentNote(document: SourceNode, reading: Reading): HomeRecord | undefined {
  const r = reading
  const [consignment, second] = consignmentsOf(document, r)
  if (second !== undefined) r.refuse('intake/element-repeated', second, { element: 'specifiedConsignment' })
  if (consignment === undefined) return undefined
  const header = r.one(document, 'exchangedDocument')
  const contract = r.one(consignment, 'transportContractReferencedDocument')
  const number =
    r.may(r.one(consignment, 'carrierAssignedId'), r.identifier(35)) ??
    firstOf(r.many(contract, 'id'), r.identifier(35), r) ??
    r.may(r.one(header, 'id'), r.identifier(35)) ??
    firstOf(r.many(consignment, 'id'), r.identifier(35), r) ??
    r.missing(consignment, ['carrierAssignedId'])
  const typeCode =
    r.may(r.one(document, 'exchangedDeclaration', 'typeCode'), r.identifier(3)) ??
    r.may(r.one(header, 'typeCode'), r.identifier(3)) ??
    r.may(r.one(contract, 'typeCode'), r.identifier(3))
  const date =
    r.may(r.one(consignment, 'carrierAcceptanceDateTime'), r.date) ??
    r.may(r.one(contract, 'issueDateTime'), r.date) ??
    r.may(r.one(header, 'issueDateTime'), r.date)

  const carriage = [
    ...r.many(consignment, 'mainCarriageLogisticsTransportMovement'),
    ...r.many(consignment, 'specifiedLogisticsTransportMovement'),
  ]
  const eventsOf = (name: string) => carriage.flatMap((movement) => stationsOf(r.many(movement, name), r))
  const departureStation =
    eventsOf('departureEvent')[0] ?? locationOf(r.one(consignment, 'carrierAcceptanceLogisticsLocation'), r)
  const destinationStation =
    locationOf(r.one(consignment, 'deliveryEvent', 'occurrenceLogisticsLocation'), r) ??
    eventsOf('arrivalEvent').at(-1) ??
    locationOf(r.one(consignment, 'finalDestinationLogisticsLocation'), r)
  const stops = carriage.flatMap((movement) =>
    r.many(movement, 'itineraryRoute').flatMap((route) => stationsOf(r.many(route, 'itineraryStopEvent'), r)),
  )
  const transfers = r.many(consignment, 'transshipmentLogisticsLocation').flatMap((place) => locationOf(place, r) ?? [])

  const items = r.many(consignment, 'includedConsignmentItem')
  const papers = [consignment, ...items].flatMap((holder) => r.many(holder, 'associatedReferencedDocument'))
  const units = unitsOf(consignment, r)
  const carrier = partyOf(r.one(consignment, 'carrier'), r)
  const content: ConsignmentNote = present({
    note: present({ number: number ?? '', typeCode, departureStation, date }),
    consignor: partyOf(r.one(consignment, 'consignor'), r),
    consignee: partyOf(r.one(consignment, 'consignee'), r),
    carriers: carrier && [carrier],
    departureStation,
    destinationStation,
    borderStations: someOf(distinct([...stops, ...transfers])),
    wagons: units.wagons,
    containers: units.containers,
    goods: items.map((item) => goodsOf(item, r)),
    declarationIds: someOf([...new Set(papers.flatMap((paper) => declarationOf(paper, r) ?? []))]),
  })
  return r.problems.some ? undefined : { record: 'consignment-note', content }
}

function stationsOf(events: readonly SourceNode[], r: Reading): Station[] {
  return events.flatMap((event) => locationOf(r.one(event, 'occurrenceLogisticsLocation'), r) ?? [])
}

function declarationOf(paper: SourceNode, r: Reading): string | undefined {
  const typeCode = r.may(r.one(paper, 'typeCode'), r.identifier(8)) ?? ''
  const reference = r.may(r.one(paper, 'referenceTypeCode'), r.identifier(8)) ?? ''
  const id = firstOf(r.many(paper, 'id'), r.identifier(70), r)
  return DECLARATION_TYPES.has(typeCode) || DECLARATION_REFERENCES.has(reference) ? id : undefined
}

function goodsOf(item: SourceNode, r: Reading): Goods {
  const said = r
    .many(item, 'natureIdCargo')
    .flatMap((cargo) => r.many(cargo, 'id'))
    .flatMap((text): NamedText[] => {
      const named = r.may(text, r.named())
      return named === undefined ? [] : [named]
    })
  const description: NamedText | undefined = said[0] && {
    text: said.map(({ text }) => text).join('; '),
    language: said[0].language,
  }
  if (description !== undefined && description.text.length > 512)
    r.refuse('intake/too-long', item, { lengthMax: 512, length: description.text.length, element: 'natureIdCargo' })
  const packages = r
    .many(item, 'transportLogisticsPackage')
    .flatMap((each) => r.may(r.one(each, 'itemQuantity'), r.integer(0, 99_999_999)) ?? [])
  const boxes = r
    .many(item, 'associatedReferencedLogisticsTransportEquipment')
    .flatMap((each) => r.many(each, 'id').flatMap((id) => r.may(id, r.unit) ?? []))
  return present({
    description,
    commodityCode: commodityOf(item, r),
    grossMass: r.may(r.one(item, 'grossWeight'), r.mass),
    packageQuantity: packages.length === 0 ? undefined : packages.reduce((sum, each) => sum + each, 0),
    equipmentIds: someOf([...new Set(boxes)]),
  })
}

/** The goods' code where it is one of a nomenclature; railways also write their own tariff codes here. */
function commodityOf(item: SourceNode, r: Reading): string | undefined {
  const node = r.one(item, 'typeCode')
  const code = r.may(node, r.identifier(35))?.replace(/[\s.]/g, '')
  if (node === undefined || code === undefined || /^\d{4,14}$/.test(code)) return code
  return r.note('intake/element-left-out', node, { expected: 'n4..14' })
}
