import type { DocumentReference, HomeDeclaration, HomeRecord, Party, Seal, Station, Wagon } from '../model.ts'
import { DOCUMENTS_MAX, PREVIOUS_MAX, type Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { distinct, isRailNoteType, onlyOne, present, someOf, stationFrom, wagonIdType } from './values.ts'

type Item = HomeDeclaration['items'][number]
type Note = NonNullable<HomeDeclaration['consignment']['notes']>[number]

/** Identification types of means of transport (NCTS code list 219 and 750): a wagon and a train. */
const WAGON = '20'
const TRAIN = '21'
/** UNCL 1001: TIR carnet. */
const TIR_CARNET = '952'

/**
 * Maps the release for transit of NCTS phase 5 (IE029, CC029C), from XML or JSON: a declaration cleared for transit.
 *
 * Countries of dispatch and destination may stand at the consignment, a house or an item; where none speaks for all,
 * the offices of departure and destination do, whose reference begins with their country.
 *
 * @param message the element of the message
 * @param name its name without a prefix, CC029C
 * @returns the record, or undefined when `reading` holds at least one problem
 */
export function mapNctsRelease(message: SourceNode, reading: Reading, name: string): HomeRecord | undefined {
  const r = reading
  for (const name of [
    'messageSender',
    'messageRecipient',
    'messageIdentification',
    'preparationDateAndTime',
    'correlationIdentifier',
  ])
    r.one(message, name)
  const stated = r.may(r.one(message, 'messageType'), r.identifier(10))
  if (stated !== undefined && stated !== name)
    r.refuse('intake/message-type-disagrees', message, { root: name, stated })

  const operation = r.one(message, 'TransitOperation')
  const consignment = r.one(message, 'Consignment')
  if (operation === undefined) r.missing(message, ['TransitOperation'])
  if (consignment === undefined) return r.missing(message, ['Consignment'])
  const houses = r.inSequence(r.many(consignment, 'HouseConsignment'), 'sequenceNumber')
  if (houses.length === 0) r.missing(consignment, ['HouseConsignment'])
  const goods = houses.flatMap((house) => {
    const items = r.many(house, 'ConsignmentItem')
    if (items.length === 0) r.missing(house, ['ConsignmentItem'])
    return items
  })
  const levels = [consignment, ...houses, ...goods]

  const departureOffice = r.may(r.one(message, 'CustomsOfficeOfDeparture', 'referenceNumber'), r.identifier(17))
  const destinationOffice = r.may(
    r.one(message, 'CustomsOfficeOfDestinationDeclared', 'referenceNumber'),
    r.identifier(17),
  )
  const officesOf = (name: string) =>
    r
      .inSequence(r.many(message, name), 'sequenceNumber')
      .flatMap((office) => r.may(r.one(office, 'referenceNumber'), r.identifier(17)) ?? [])
  const transitOffices = officesOf('CustomsOfficeOfTransitDeclared')
  const exitOffices = officesOf('CustomsOfficeOfExitForTransitDeclared')

  const means = meansOf([consignment, ...houses], r)
  const boxes = boxesOf(consignment, means.wagons, r)
  const consignee = partyAt('Consignee')
  const items = houses.flatMap((house) => {
    const theirs = partyOf(r.one(house, 'Consignee'), r)
    return house.named('ConsignmentItem').map((item) => {
      const own = consignee ? undefined : (partyOf(r.one(item, 'Consignee'), r) ?? theirs)
      return present({ ...itemOf(item, boxes.idsByItem, r), consignee: own })
    })
  })
  boxes.notePlacesWithout(items)
  r.sequencesDiffer(goods.map((node, at) => ({ node, sequence: items[at]?.sequence })))
  const papers = documentsOf(levels, r)
  const carnet = r.may(r.one(operation, 'TIRCarnetNumber'), r.identifier(70))
  const documents =
    carnet === undefined ? papers.documents : [{ typeCode: TIR_CARNET, id: carnet }, ...papers.documents]
  const previous = distinct(levels.flatMap((level) => referencesOf(level, 'PreviousDocument', r)))
  const control = r.one(message, 'ControlResult')
  const controlCode = r.may(r.one(control, 'code'), r.identifier(3))
  const routing = r.inSequence(r.many(consignment, 'CountryOfRoutingOfConsignment'), 'sequenceNumber')
  const borderMode = r.may(r.one(consignment, 'modeOfTransportAtTheBorder'), r.mode)

  // A needed value that is missing makes a problem, so that what stands in for it here never leaves.
  const content: HomeDeclaration = {
    declaration: present({
      id: (operation && r.must(operation, ['MRN'], r.identifier(70))) ?? '',
      kind: 'TR' as const,
      typeCode: r.may(r.one(operation, 'declarationType'), r.identifier(9)),
      versionId: r.home.declarationVersion ?? 1,
      functionalReferenceId: r.may(r.one(operation, 'LRN'), r.identifier(35)),
      acceptanceDateTime: r.may(r.one(operation, 'declarationAcceptanceDate'), r.instant),
      officeId: departureOffice,
      exitOfficeId: exitOffices[0],
      intendedEntryOfficeId: transitOffices.find((office) => !office.startsWith(r.home.homeCountry)),
      totalGrossMass: r.may(r.one(consignment, 'grossMass'), r.mass),
      ucr:
        r.may(r.one(consignment, 'referenceNumberUCR'), r.identifier(35)) ??
        r.shared(houses, ['referenceNumberUCR'], r.identifier(35)),
      previousDocuments: someOf(r.upTo(PREVIOUS_MAX, previous, consignment)),
    }),
    consignment: present({
      notes: someOf(papers.notes),
      departureStation: placeOf(r.one(consignment, 'PlaceOfLoading'), r),
      destinationStation: placeOf(r.one(consignment, 'PlaceOfUnloading'), r),
      routingCountries: someOf(routing.flatMap((each) => r.may(r.one(each, 'country'), r.country) ?? [])),
      exportCountry: countryOf('countryOfDispatch', departureOffice, 'CustomsOfficeOfDeparture'),
      destinationCountry: countryOf('countryOfDestination', destinationOffice, 'CustomsOfficeOfDestinationDeclared'),
      borderModeCode: borderMode,
      containerised: r.may(r.one(consignment, 'containerIndicator'), r.flag),
      trainNumber: means.trainNumber,
    }),
    parties: present({
      consignor: partyAt('Consignor'),
      consignee,
      declarant: partyOf(r.one(message, 'HolderOfTheTransitProcedure'), r),
      carriers: someOf(r.many(consignment, 'Carrier').flatMap((each) => partyOf(each, r) ?? [])),
    }),
    equipment: boxes.equipment,
    wagons: means.wagons,
    items,
    documents: someOf(r.upTo(DOCUMENTS_MAX, documents, consignment)),
    guarantees: someOf(guaranteesOf(message, r)),
    customsDecision: present({
      statusCode: controlCode === 'A1' ? ('cleared-after-check' as const) : ('cleared' as const),
      releaseDateTime: operation && r.must(operation, ['releaseDate'], r.instant),
      controlResult: controlCode,
      transitLimitDate: r.may(r.one(operation, 'limitDate') ?? r.one(control, 'limitDate'), r.date),
    }),
  }
  present(content)
  return r.problems.some ? undefined : { record: 'declaration', content }

  function countryOf(name: string, office: string | undefined, officeName: string): string {
    const own =
      r.may(r.one(consignment, name), r.country) ??
      r.shared(houses, [name], r.country) ??
      r.shared(goods, [name], r.country)
    if (own !== undefined) return own
    const prefix = office?.slice(0, 2)
    if (consignment === undefined || prefix === undefined || !/^[A-Z]{2}$/.test(prefix)) {
      if (consignment !== undefined) r.missing(consignment, [name])
      return ''
    }
    r.note('intake/value-inferred', consignment, { element: name, from: officeName })
    return prefix
  }

  function partyAt(name: string): Party | undefined {
    const own = partyOf(r.one(consignment, name), r)
    if (own !== undefined) return own
    const parties = [...houses, ...goods].flatMap((level) => partyOf(r.one(level, name), r) ?? [])
    const [first, second] = distinct(parties)
    return second === undefined ? first : undefined
  }
}

function partyOf(node: SourceNode | undefined, r: Reading): Party | undefined {
  if (node === undefined) return undefined
  const address = r.one(node, 'Address')
  return r.party({
    name: r.may(r.one(node, 'name'), r.named()),
    id: r.may(r.one(node, 'identificationNumber') ?? r.one(node, 'TIRHolderIdentificationNumber'), r.identifier(35)),
    address: r.address(['streetAndNumber', 'city', 'postcode'].map((name) => r.one(address, name))),
    country: r.may(r.one(address, 'country'), r.country),
  })
}

function placeOf(node: SourceNode | undefined, r: Reading): Station | undefined {
  if (node === undefined) return undefined
  const code = r.may(r.one(node, 'UNLocode'), r.identifier(17))
  return stationFrom({
    codes: code === undefined ? [] : [code],
    name: r.may(r.one(node, 'location'), r.named(256)),
    country: r.may(r.one(node, 'country'), r.country),
  })
}

function meansOf(levels: readonly SourceNode[], r: Reading): { wagons: Wagon[]; trainNumber: string | undefined } {
  const numbers: string[] = []
  const trains: string[] = []
  const nodes = [
    ...levels.flatMap((level) => r.inSequence(r.many(level, 'DepartureTransportMeans'), 'sequenceNumber')),
    ...r.inSequence(r.many(levels[0], 'ActiveBorderTransportMeans'), 'sequenceNumber'),
  ]
  for (const node of nodes) {
    const type = r.may(r.one(node, 'typeOfIdentification'), r.identifier(3))
    const id = r.one(node, 'identificationNumber')
    const journey = r.may(r.one(node, 'conveyanceReferenceNumber'), r.identifier(17))
    const wagon = type === WAGON ? r.may(id, r.unit) : undefined
    const train = type === TRAIN ? r.may(id, r.identifier(17)) : undefined
    if (wagon !== undefined) numbers.push(wagon)
    if (train !== undefined) trains.push(train)
    if ((type === WAGON || type === TRAIN) && journey !== undefined) trains.push(journey)
  }
  return {
    wagons: [...new Set(numbers)].map((number): Wagon => present({ number, idTypeCode: wagonIdType(number) })),
    trainNumber: onlyOne(trains),
  }
}

/** Containers with their seals, and which items each of them holds. Seals without a container belong to the only wagon. */
function boxesOf(consignment: SourceNode, wagons: readonly Wagon[], r: Reading) {
  const equipment: HomeDeclaration['equipment'] = []
  const idsByItem = new Map<string, string[]>()
  const places: { readonly item: number; readonly node: SourceNode }[] = []
  for (const node of r.inSequence(r.many(consignment, 'TransportEquipment'), 'sequenceNumber')) {
    const id = r.may(r.one(node, 'containerIdentificationNumber'), r.unit)
    r.one(node, 'numberOfSeals')
    const seals = r.inSequence(r.many(node, 'Seal'), 'sequenceNumber').flatMap((each): Seal[] => {
      const seal = r.may(r.one(each, 'identifier'), r.identifier(50))
      return seal === undefined ? [] : [{ id: seal }]
    })
    for (const each of r.many(node, 'GoodsReference')) {
      r.one(each, 'sequenceNumber')
      const item = r.may(r.one(each, 'declarationGoodsItemNumber'), r.integer(1, 99_999))
      if (item === undefined || id === undefined) continue
      places.push({ item, node: each })
      const ids = idsByItem.get(String(item))
      if (ids) ids.push(id)
      else idsByItem.set(String(item), [id])
    }
    const [only] = wagons
    if (id !== undefined) equipment.push(present({ id, seals: someOf(seals) }))
    else if (seals.length > 0 && only !== undefined && wagons.length === 1)
      only.seals = [...(only.seals ?? []), ...seals]
    else r.note('intake/element-left-out', node, { lacks: 'containerIdentificationNumber', seals: seals.length })
  }
  /** A box that refers to an item which is not there says nothing of any other. */
  const notePlacesWithout = (items: readonly Item[]): void => {
    const known = new Set(items.map(({ sequence }) => sequence))
    for (const { item, node } of places)
      if (!known.has(item)) r.note('intake/element-left-out', node, { declarationGoodsItemNumber: item })
  }
  return { equipment, idsByItem, notePlacesWithout }
}

function itemOf(node: SourceNode, idsByItem: ReadonlyMap<string, readonly string[]>, r: Reading): Item {
  const commodity = r.one(node, 'Commodity')
  const measure = r.one(commodity, 'GoodsMeasure')
  const own = r.may(r.one(node, 'goodsItemNumber'), r.integer(1, 99_999))
  const declared = r.may(r.one(node, 'declarationGoodsItemNumber'), r.integer(1, 99_999))
  const sequence = declared ?? own
  if (sequence === undefined) r.missing(node, ['declarationGoodsItemNumber'])
  const code = r.must(
    node,
    ['Commodity', 'CommodityCode', 'harmonizedSystemSubHeadingCode'],
    r.matching(/^\d{6}$/, 'n6'),
  )
  const packages: NonNullable<Item['packages']> = []
  for (const each of r.inSequence(r.many(node, 'Packaging'), 'sequenceNumber')) {
    const one = r.packaging({
      type: r.one(each, 'typeOfPackages'),
      quantity: r.one(each, 'numberOfPackages'),
      marks: r.one(each, 'shippingMarks'),
    })
    if (one !== undefined) packages.push(one)
  }
  return present({
    sequence: sequence ?? 0,
    commodityCode: (code ?? '') + subheadingOf(commodity, r),
    classificationType: 'HS',
    description: r.must(node, ['Commodity', 'descriptionOfGoods'], r.named()) ?? { text: '', language: 'und' },
    grossMass: r.may(r.one(measure, 'grossMass'), r.mass),
    netMass: r.may(r.one(measure, 'netMass'), r.mass),
    packages: someOf(packages),
    dangerousGoods: someOf(
      r
        .inSequence(r.many(commodity, 'DangerousGoods'), 'sequenceNumber')
        .flatMap((each) => r.may(r.one(each, 'UNNumber'), r.identifier(10)) ?? []),
    ),
    equipmentIds: someOf([...new Set(idsByItem.get(String(sequence)))]),
  })
}

/** The two national digits after the HS code; the message allows letters there, which no tariff code has. */
function subheadingOf(commodity: SourceNode | undefined, r: Reading): string {
  const node = r.one(commodity, 'CommodityCode', 'combinedNomenclatureCode')
  const text = node?.text
  if (node === undefined || text === undefined) return ''
  if (/^\d{2}$/.test(text)) return text
  r.note('intake/element-left-out', node, { expected: 'n2' })
  return ''
}

function referencesOf(level: SourceNode, name: string, r: Reading): DocumentReference[] {
  return r.inSequence(r.many(level, name), 'sequenceNumber').flatMap((node): DocumentReference[] => {
    const typeCode = r.may(r.one(node, 'type'), r.identifier(8))
    const id = r.may(r.one(node, 'referenceNumber'), r.identifier(70))
    if (typeCode !== undefined) return [present({ typeCode, id })]
    r.note('intake/element-left-out', node, { lacks: 'type' })
    return []
  })
}

function documentsOf(levels: readonly SourceNode[], r: Reading): { notes: Note[]; documents: DocumentReference[] } {
  const transport = distinct(levels.flatMap((level) => referencesOf(level, 'TransportDocument', r)))
  const others = levels.flatMap((level) =>
    ['SupportingDocument', 'AdditionalReference'].flatMap((name) => referencesOf(level, name, r)),
  )
  const notes = transport.flatMap(({ typeCode, id }): Note[] =>
    isRailNoteType(typeCode) && id !== undefined && id.length <= 35
      ? [{ number: id, typeCode: typeCode.slice(-3) }]
      : [],
  )
  return { notes, documents: distinct([...transport, ...others]) }
}

function guaranteesOf(message: SourceNode, r: Reading): string[] {
  return r.inSequence(r.many(message, 'Guarantee'), 'sequenceNumber').flatMap((guarantee) => {
    const references = r
      .many(guarantee, 'GuaranteeReference')
      .flatMap((each) => r.may(r.one(each, 'GRN'), r.identifier(35)) ?? [])
    const other = r.may(r.one(guarantee, 'otherGuaranteeReference'), r.identifier(35))
    return references.length > 0 || other === undefined ? references : [other]
  })
}
