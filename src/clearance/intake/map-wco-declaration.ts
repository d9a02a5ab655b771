import type {
  Cancellation,
  Declaration,
  DocumentReference,
  GoodsItem,
  HomeDeclaration,
  HomeRecord,
  Party,
  Seal,
  Station,
  Wagon,
} from '../model.ts'
import { DOCUMENTS_MAX, PREVIOUS_MAX, type Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'
import { distinct, isRailNoteType, onlyOne, present, someOf, stationFrom, unitNumber, wagonIdType } from './values.ts'

type Kind = Declaration['kind']
type Item = HomeDeclaration['items'][number]

/** UNCL 1001 and national codes of what a declaration is for, by the first letters of its type code. */
const KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^(EX[A-Z]?|ЭК.?|830)$/, 'EX'],
  [/^(T|T1|T2|T2F|T2SM|TIR|TR[A-F]?|ТТ.?|820|821|822|950|952)$/, 'TR'],
]
/** First digit of a customs procedure that takes goods out: permanent, temporary or re-export. */
const EXPORT_PROCEDURE = /^[123]\d/
/** Additional declaration types of a declaration lodged before the goods are presented. */
const PRELODGED = /^(EX|CO)[DEF]$/

/** Classification types in the order in which they name the tariff code. */
const TARIFF_TYPES = ['TSP', 'HS', 'HSC', 'CN', 'TNVED', '']
/** Classification types that only add to a tariff code and never stand for it. */
const ADDITIONAL_TYPES = new Set(['TRC', 'TRA', 'GN', 'CV'])

/**
 * Maps a declaration of the WCO Data Model (DEC), in the flavour with DMS namespaces and its relatives.
 *
 * What the format leaves open is settled here, and written down in docs/INTAKE.md: the national system hands a
 * declaration over once it is released, so it counts as cleared, except one that was lodged before the goods were
 * presented and shows no acceptance; without an id of its own it is known by its functional reference; a declaration
 * for export without a country of export comes from home.
 *
 * @param root `MetaData` or `Declaration`
 * @returns the record, or undefined when `reading` holds at least one problem
 */
export function mapWcoDeclaration(root: SourceNode, reading: Reading): HomeRecord | undefined {
  const r = reading
  const declaration = root.name === 'MetaData' ? r.one(root, 'Declaration') : root
  if (declaration === undefined) return r.missing(root, ['Declaration'])
  if (root.name === 'MetaData') for (const child of root.children) if (child !== declaration) child.carried = true

  const functionCode = r.must(declaration, ['FunctionCode'], r.matching(/^\d{1,2}$/, 'UNCL 1225'))
  const type = r.may(r.one(declaration, 'TypeCode'), r.identifier(9))
  if (functionCode !== undefined && !['9', '5', '4', '1'].includes(String(Number(functionCode))))
    return r.refuse('intake/message-not-taken', declaration, { type: `WCO DEC ${functionCode} ${type ?? ''}`.trim() })
  const kind = kindOf(declaration, type, r)
  if (kind === 'other') return undefined
  if (functionCode !== undefined && Number(functionCode) === 1) return cancellation(declaration, kind, r)
  if (
    Number(functionCode) === 4 &&
    r.many(declaration, 'Amendment').some((change) => change.named('Pointer').length > 0)
  )
    return r.refuse('intake/partial-amendment', declaration, { functionCode: '4' })

  const shipment = r.one(declaration, 'GoodsShipment')
  if (shipment === undefined) return r.missing(declaration, ['GoodsShipment'])
  const carriage = r.one(shipment, 'Consignment')
  const route = r.one(declaration, 'Consignment')
  const goods = r.many(shipment, 'GovernmentAgencyGoodsItem')
  if (goods.length === 0) r.missing(shipment, ['GovernmentAgencyGoodsItem'])

  const isAmendment = functionCode !== undefined && Number(functionCode) !== 9
  const id = idOf(declaration, r)
  const versionId = versionOf(declaration, isAmendment, r)
  const acceptedAt = r.may(r.one(declaration, 'AcceptanceDateTime'), r.instant)
  const status = r.one(declaration, 'Status')
  const releasedAt = r.may(r.one(status, 'ReleaseDateTime') ?? r.one(declaration, 'ReleaseDateTime'), r.instant)
  const prelodged = type !== undefined && PRELODGED.test(type) && acceptedAt === undefined && releasedAt === undefined

  const border = r.one(declaration, 'BorderTransportMeans') ?? r.one(carriage, 'BorderTransportMeans')
  const departures = r.many(carriage, 'DepartureTransportMeans')
  const borderModeCode = r.may(r.one(border, 'ModeCode'), r.mode)
  const isRail = borderModeCode === '2' || departures.some((each) => r.one(each, 'ModeCode')?.text === '2')
  const means = [border, ...departures].map((each) => meansOf(each, isRail, r))
  const boxes = boxesOf([...r.many(carriage, 'TransportEquipment'), ...r.many(route, 'TransportEquipment')], r)
  const wagons = wagonsOf(means, boxes.looseSeals, boxes.looseFrom, r)

  const codes = procedureCodesOf(goods, r)
  const consignee = partyOf(r.one(shipment, 'Consignee') ?? r.one(route, 'Consignee'), r)
  const consignees = goods.map((item) => partyOf(r.one(item, 'Consignee'), r))
  const items = goods.map((item, at) =>
    present({
      ...itemOf(item, boxes.idBySequence, r),
      ...(onlyOneOf(codes) === undefined && { procedureCode: codes[at] }),
      ...(consignee === undefined && onlyOneOf(consignees) === undefined && { consignee: consignees[at] }),
    }),
  )
  differing(goods, 'GovernmentProcedure', codes, r)
  if (consignee === undefined) differing(goods, 'Consignee', consignees, r)
  r.sequencesDiffer(goods.map((node, at) => ({ node, sequence: items[at]?.sequence })))
  const papers = documentsOf([declaration, shipment, ...goods], r)
  const notes = [...railNotes(carriage, r), ...railNotes(shipment, r), ...railNotes(route, r), ...papers.notes]
  const previous = [declaration, shipment, ...goods].flatMap((holder) => previousOf(holder, r))

  const exportCountry =
    r.may(r.one(shipment, 'ExportCountry', 'ID') ?? r.one(shipment, 'ExportCountry', 'CountryCode'), r.country) ??
    r.shared(goods, ['ExportCountry', 'ID'], r.country) ??
    (kind === 'EX' ? fromHome(shipment, r) : r.missing(shipment, ['ExportCountry', 'ID']))
  const destinationCountry =
    r.may(r.one(shipment, 'Destination', 'CountryCode'), r.country) ??
    r.shared(goods, ['Destination', 'CountryCode'], r.country) ??
    r.missing(shipment, ['Destination', 'CountryCode'])
  const itinerary = r.inSequence([...r.many(route, 'Itinerary'), ...r.many(carriage, 'Itinerary')], 'SequenceNumeric')
  const ucr =
    r.may(r.one(shipment, 'UCR', 'ID') ?? r.one(shipment, 'UCR', 'TraderAssignedReferenceID'), r.identifier(35)) ??
    r.shared(goods, ['UCR', 'ID'], r.identifier(35)) ??
    previous.find(({ typeCode, id }) => typeCode === 'DCR' && id !== undefined && id.length <= 35)?.id

  // A needed value that is missing has made a problem above, so that what stands in for it here never leaves.
  const content: HomeDeclaration = {
    declaration: present({
      id: id ?? '',
      kind: kind ?? 'EX',
      typeCode: type,
      versionId: versionId ?? 0,
      functionalReferenceId: r.may(r.one(declaration, 'FunctionalReferenceID'), r.identifier(35)),
      acceptanceDateTime: acceptedAt,
      officeId: r.may(
        r.one(declaration, 'DeclarationOfficeID') ?? r.one(declaration, 'DeclarationOffice', 'ID'),
        r.identifier(17),
      ),
      exitOfficeId: r.may(r.one(declaration, 'ExitOffice', 'ID'), r.identifier(17)),
      intendedEntryOfficeId: r.may(r.one(declaration, 'EntryOffice', 'ID'), r.identifier(17)),
      procedureCode: onlyOneOf(codes),
      goodsItemQuantity: r.may(r.one(declaration, 'GoodsItemQuantity'), r.integer(0, 99_999)),
      totalPackageQuantity: r.may(r.one(declaration, 'TotalPackageQuantity'), r.integer(0, 99_999_999)),
      totalGrossMass: r.may(r.one(declaration, 'TotalGrossMassMeasure'), r.mass),
      invoiceAmount: r.may(r.one(declaration, 'InvoiceAmount'), r.amount),
      ucr,
      previousDocuments: someOf(r.upTo(PREVIOUS_MAX, distinct(previous), shipment)),
    }),
    consignment: present({
      notes: someOf(distinct(notes)),
      departureStation: placeOf(carriage, 'LoadingLocation', r) ?? placeOf(route, 'LoadingLocation', r),
      destinationStation: placeOf(carriage, 'UnloadingLocation', r) ?? placeOf(route, 'UnloadingLocation', r),
      routingCountries: someOf(itinerary.flatMap((stop) => r.may(r.one(stop, 'RoutingCountryCode'), r.country) ?? [])),
      exportCountry: exportCountry ?? '',
      destinationCountry: destinationCountry ?? '',
      borderModeCode,
      containerised: r.may(r.one(carriage, 'ContainerCode'), r.flag),
      deliveryTerms: deliveryTermsOf(r.one(shipment, 'TradeTerms'), r),
      trainNumber: means.find((each) => each.trainNumber !== undefined)?.trainNumber,
    }),
    parties: present({
      consignor:
        partyOf(r.one(route, 'Consignor') ?? r.one(shipment, 'Consignor'), r) ?? sharedParty(goods, 'Consignor', r),
      consignee: consignee ?? onlyOneOf(consignees),
      exporter: partyOf(r.one(declaration, 'Exporter') ?? r.one(shipment, 'Exporter'), r),
      importer: partyOf(r.one(shipment, 'Importer') ?? r.one(declaration, 'Importer'), r),
      declarant: partyOf(r.one(declaration, 'Declarant'), r),
      carriers: someOf(
        [...r.many(route, 'Carrier'), ...r.many(carriage, 'Carrier')].flatMap((each) => partyOf(each, r) ?? []),
      ),
    }),
    equipment: boxes.equipment,
    wagons,
    items,
    documents: someOf(r.upTo(DOCUMENTS_MAX, papers.documents, shipment)),
    guarantees: someOf(
      r
        .many(declaration, 'ObligationGuarantee')
        .flatMap((each) => r.may(r.one(each, 'ReferenceID') ?? r.one(each, 'ID'), r.identifier(35)) ?? []),
    ),
    customsDecision: present({
      statusCode: prelodged ? ('not-cleared' as const) : ('cleared' as const),
      releaseDateTime: releasedAt,
      effectiveDateTime: r.may(r.one(status, 'EffectiveDateTime'), r.instant),
    }),
  }
  present(content)
  return r.problems.some ? undefined : { record: 'declaration', content }
}

function fromHome(shipment: SourceNode, r: Reading): string {
  r.note('intake/value-inferred', shipment, { element: 'ExportCountry/ID', from: 'homeCountry' })
  return r.home.homeCountry
}

function kindOf(declaration: SourceNode, type: string | undefined, r: Reading): Kind | 'other' | undefined {
  for (const [pattern, kind] of KINDS) if (type !== undefined && pattern.test(type.toUpperCase())) return kind
  const procedure = declaration.named('GoodsShipment')[0]?.named('GovernmentAgencyGoodsItem')[0]
  const current = procedure?.named('GovernmentProcedure')[0]?.named('CurrentCode')[0]?.text
  const isTrade = type === undefined || /^CO/.test(type)
  if (isTrade && current !== undefined && EXPORT_PROCEDURE.test(current)) return 'EX'
  if (type === undefined && current === undefined) return r.missing(declaration, ['TypeCode'])
  const named = type ?? `procedure ${(current ?? '').slice(0, 7)}`
  const node = declaration.named('TypeCode')[0] ?? declaration
  r.refuse('intake/not-an-export-declaration', node, { type: named })
  return 'other'
}

function idOf(declaration: SourceNode, r: Reading): string | undefined {
  const own = r.may(r.one(declaration, 'ID'), r.identifier(70))
  if (own !== undefined || declaration.named('ID')[0]?.text !== undefined) return own
  const reference = r.one(declaration, 'FunctionalReferenceID')
  const known = r.may(reference, r.identifier(35))
  if (known === undefined || reference === undefined) return r.missing(declaration, ['ID'])
  r.note('intake/value-inferred', reference, { element: 'ID', from: 'FunctionalReferenceID' })
  return known
}

function versionOf(declaration: SourceNode, isAmendment: boolean, r: Reading): number | undefined {
  const stated = r.one(declaration, 'VersionID')
  if (stated?.text !== undefined) return r.integer(1, 999_999)(stated)
  if (r.home.declarationVersion !== undefined) return r.home.declarationVersion
  return isAmendment ? r.missing(declaration, ['VersionID']) : 1
}

function cancellation(declaration: SourceNode, kind: Kind | undefined, r: Reading): HomeRecord | undefined {
  const id = idOf(declaration, r)
  const versionId = versionOf(declaration, false, r)
  const at =
    r.may(r.one(declaration, 'Status', 'EffectiveDateTime'), r.instant) ??
    r.may(r.one(declaration, 'CancellationDateTime'), r.instant) ??
    r.may(r.one(declaration, 'IssueDateTime'), r.instant)
  if (at === undefined && !r.problems.some) r.missing(declaration, ['IssueDateTime'])
  if (r.problems.some || id === undefined || kind === undefined || versionId === undefined || at === undefined)
    return undefined
  const content: Cancellation = {
    declaration: { id, kind, versionId },
    customsDecision: { statusCode: 'cancelled', effectiveDateTime: at },
  }
  return { record: 'cancellation', content }
}

interface Means {
  readonly trainNumber?: string | undefined
  readonly wagon?: string | undefined
}

/** Wagon or train: by the type of identification (20, 21), or by its shape where the mode is rail. */
function meansOf(node: SourceNode | undefined, isRail: boolean, r: Reading): Means {
  const typeCode = r.may(r.one(node, 'IdentificationTypeCode'), r.identifier(17))
  const journey = r.may(r.one(node, 'JourneyID'), r.identifier(17))
  const id = r.one(node, 'ID')
  const text = r.may(id, r.identifier(35))
  if (text === undefined || id === undefined) return { trainNumber: journey }
  const number = unitNumber(text)
  if (typeCode === '20' || (typeCode === undefined && isRail && wagonIdType(number) !== undefined))
    return { trainNumber: journey, wagon: r.unit(id) }
  return { trainNumber: journey ?? (typeCode === '21' ? r.identifier(17)(id) : undefined) }
}

function sealsOf(box: SourceNode, r: Reading): Seal[] {
  return r.many(box, 'Seal').flatMap((node): Seal[] => {
    const id = r.may(r.one(node, 'ID'), r.identifier(50))
    if (id === undefined) return []
    return [
      present({
        id,
        typeCode: r.may(r.one(node, 'TypeCode'), r.identifier(3)),
        sealingPartyRole: r.may(r.one(node, 'SealingPartyRoleCode'), r.identifier(3)),
        conditionCode: r.may(r.one(node, 'ConditionCode'), r.identifier(3)),
      }),
    ]
  })
}

/** Containers, and the seals of equipment that has no number. */
function boxesOf(nodes: readonly SourceNode[], r: Reading) {
  const equipment: HomeDeclaration['equipment'] = []
  const idBySequence = new Map<string, string>()
  const looseSeals: Seal[] = []
  let looseFrom: SourceNode | undefined
  for (const node of nodes) {
    const id = r.may(r.one(node, 'ID'), r.unit)
    const seals = sealsOf(node, r)
    const sequence = r.one(node, 'SequenceNumeric')?.text
    if (id === undefined) {
      if (seals.length > 0) looseFrom ??= node
      looseSeals.push(...seals)
      continue
    }
    if (sequence !== undefined) idBySequence.set(sequence, id)
    equipment.push(
      present({
        id,
        sizeTypeCode: r.may(r.one(node, 'CharacteristicCode'), r.identifier(4)),
        fullnessCode: fullnessOf(r.one(node, 'FullnessCode'), r),
        seals: someOf(seals),
      }),
    )
  }
  return { equipment, idBySequence, looseSeals, looseFrom }
}

function fullnessOf(node: SourceNode | undefined, r: Reading): '4' | '5' | undefined {
  const code = r.may(node, r.identifier(3))
  if (code === '4' || code === '5') return code
  if (node !== undefined && code !== undefined) r.note('intake/element-left-out', node, { expected: '4|5' })
  return undefined
}

function wagonsOf(means: readonly Means[], seals: Seal[], from: SourceNode | undefined, r: Reading): Wagon[] {
  const numbers = [...new Set(means.flatMap(({ wagon }) => wagon ?? []))]
  const wagons = numbers.map((number): Wagon => present({ number, idTypeCode: wagonIdType(number) }))
  const [only] = wagons
  if (seals.length > 0 && only !== undefined && wagons.length === 1) only.seals = seals
  else if (from !== undefined) r.note('intake/element-left-out', from, { lacks: 'ID', seals: seals.length })
  return wagons
}

function placeOf(holder: SourceNode | undefined, name: string, r: Reading): Station | undefined {
  const node = r.one(holder, name)
  const code = r.may(r.one(node, 'ID'), r.identifier(17))
  return stationFrom({ codes: code === undefined ? [] : [code], name: r.may(r.one(node, 'Name'), r.named(256)) })
}

function deliveryTermsOf(node: SourceNode | undefined, r: Reading) {
  const code = r.may(r.one(node, 'ConditionCode'), r.identifier(3))
  if (code === undefined) return undefined
  const place = r.may(r.one(node, 'LocationName') ?? r.one(node, 'LocationID'), r.identifier(256))
  return present({ code, place: place?.slice(0, 70) })
}

function partyOf(node: SourceNode | undefined, r: Reading): Party | undefined {
  if (node === undefined) return undefined
  const address = r.one(node, 'Address')
  return r.party({
    name: r.may(r.one(node, 'Name'), r.named()),
    id: r.may(r.one(node, 'ID'), r.identifier(35)),
    address: r.address(
      ['Line', 'CityName', 'CountrySubDivisionName', 'PostcodeID'].map((name) => r.one(address, name)),
    ),
    country: r.may(r.one(address, 'CountryCode'), r.country),
  })
}

/** What every item says alike; of an item that says nothing the others do not speak. */
function onlyOneOf<Value>(values: readonly (Value | undefined)[]): Value | undefined {
  const [first] = values
  const text = JSON.stringify(first)
  return first !== undefined && values.every((value) => JSON.stringify(value) === text) ? first : undefined
}

/** The party every item names alike; a groupage declaration with many keeps them at home. */
function sharedParty(goods: readonly SourceNode[], name: string, r: Reading): Party | undefined {
  const parties = goods.map((item) => partyOf(r.one(item, name), r))
  differing(goods, name, parties, r)
  return onlyOneOf(parties)
}

/** Notes what the clearance does not carry because its items differ in it. */
function differing(goods: readonly SourceNode[], name: string, values: readonly unknown[], r: Reading): void {
  const at = values.findIndex((value) => value !== undefined)
  const node = goods[at]?.named(name)[0]
  if (node !== undefined && onlyOneOf(values) === undefined) r.note('intake/element-left-out', node, { differs: true })
}

/** The procedure of each item: requested and previous code together. */
function procedureCodesOf(goods: readonly SourceNode[], r: Reading): (string | undefined)[] {
  return goods.map((item) => {
    const procedures = r.many(item, 'GovernmentProcedure')
    const main = procedures.find((each) => each.named('PreviousCode')[0]?.text !== undefined) ?? procedures[0]
    const current = r.may(r.one(main, 'CurrentCode'), r.identifier(7))
    const previous = r.may(r.one(main, 'PreviousCode'), r.identifier(7))
    return current === undefined ? undefined : `${current}${previous ?? ''}`.slice(0, 10)
  })
}

function itemOf(node: SourceNode, idBySequence: ReadonlyMap<string, string>, r: Reading): Item {
  const commodity = r.one(node, 'Commodity')
  const sequence = r.must(node, ['SequenceNumeric'], r.integer(1, 99_999))
  const description = r.must(node, ['Commodity', 'Description'], r.named())
  const tariff = tariffOf(node, commodity, r)
  const measure = r.one(commodity, 'GoodsMeasure') ?? r.one(node, 'GoodsMeasure')
  const packages: NonNullable<GoodsItem['packages']> = []
  for (const each of r.many(node, 'Packaging')) {
    r.one(each, 'SequenceNumeric')
    const one = r.packaging({
      type: r.one(each, 'TypeCode'),
      quantity: r.one(each, 'QuantityQuantity'),
      marks: r.one(each, 'MarksNumbersID') ?? r.one(each, 'MarksNumbers'),
    })
    if (one !== undefined) packages.push(one)
  }
  const boxes = [...r.many(commodity, 'TransportEquipment'), ...r.many(node, 'TransportEquipment')].flatMap((each) => {
    const id = r.may(r.one(each, 'ID'), r.unit)
    const number = r.one(each, 'SequenceNumeric')?.text
    const known = id ?? (number === undefined ? undefined : idBySequence.get(number))
    if (known === undefined) r.note('intake/element-left-out', each, { lacks: 'ID' })
    return known ?? []
  })
  const quantity = r.one(measure, 'TariffQuantity')
  const units = r.may(quantity, r.decimal)
  const origins = r.many(node, 'Origin')
  const item = {
    sequence: sequence ?? 0,
    commodityCode: tariff?.code ?? '',
    classificationType: tariff?.type,
    description: description ?? { text: '', language: 'und' },
    grossMass: r.may(r.one(measure, 'GrossMassMeasure'), r.mass),
    netMass: r.may(r.one(measure, 'NetNetWeightMeasure') ?? r.one(measure, 'NetWeightMeasure'), r.mass),
    supplementaryQuantity:
      units === undefined
        ? undefined
        : present({ value: units, unitCode: quantity?.attributes.get('unitCode')?.slice(0, 8) }),
    packages: someOf(packages),
    amount: r.may(
      r.one(commodity, 'InvoiceLine', 'ItemChargeAmount') ?? r.one(node, 'InvoiceLine', 'ItemChargeAmount'),
      r.amount,
    ),
    statisticalValue: r.may(r.one(node, 'StatisticalValueAmount'), r.amount),
    originCountry: onlyOne(origins.map((each) => r.may(r.one(each, 'CountryCode'), r.country))),
    dangerousGoods: someOf(
      r.many(commodity, 'DangerousGoods').flatMap((each) => r.may(r.one(each, 'UNDGID'), r.identifier(10)) ?? []),
    ),
    equipmentIds: someOf([...new Set(boxes)]),
  }
  return present(item)
}

/** The tariff code: the classification that names it, with what a TARIC part adds to its end. */
function tariffOf(
  item: SourceNode,
  commodity: SourceNode | undefined,
  r: Reading,
): { code: string; type?: string } | undefined {
  const classes = r.many(commodity, 'Classification').map((node) => ({
    node,
    type: r.may(r.one(node, 'IdentificationTypeCode'), r.identifier(10)) ?? '',
    code: r.may(r.one(node, 'ID'), r.identifier(18))?.replace(/[\s.]/g, ''),
  }))
  const ranked = [
    ...TARIFF_TYPES.map((type) => classes.find((each) => each.type === type && each.code !== undefined)),
    classes.find((each) => !ADDITIONAL_TYPES.has(each.type) && each.code !== undefined && /^\d{6,}$/.test(each.code)),
  ]
  const main = ranked.find((each) => each !== undefined)
  if (main?.code === undefined) return r.missing(item, ['Commodity', 'Classification', 'ID'])
  if (!/^\d{4,14}$/.test(main.code))
    return r.refuse('intake/format-wrong', main.node, { expected: 'n4..14', element: 'ID' })
  const taric = classes.find((each) => each.type === 'TRC')?.code
  const code = taric !== undefined && /^\d{2}$/.test(taric) && main.code.length === 8 ? main.code + taric : main.code
  return main.type === '' ? { code } : { code, type: main.type }
}

function documentsOf(holders: readonly SourceNode[], r: Reading) {
  const notes: NonNullable<HomeDeclaration['consignment']['notes']> = []
  const documents: DocumentReference[] = []
  for (const node of holders.flatMap((holder) => r.many(holder, 'AdditionalDocument'))) {
    const category = r.may(r.one(node, 'CategoryCode'), r.identifier(3)) ?? ''
    const type = r.may(r.one(node, 'TypeCode'), r.identifier(8)) ?? ''
    const id = r.may(r.one(node, 'ID'), r.identifier(70))
    const date = r.may(r.one(node, 'EffectiveDateTime') ?? r.one(node, 'IssueDateTime'), r.date)
    const typeCode = `${category}${type}`.slice(0, 8)
    if (typeCode === '') {
      r.note('intake/element-left-out', node, { lacks: 'TypeCode' })
      continue
    }
    if (isRailNoteType(typeCode) && id !== undefined && id.length <= 35)
      notes.push(present({ number: id, typeCode: typeCode.slice(-3), date }))
    documents.push(present({ typeCode, id, date }))
  }
  return { notes, documents: distinct(documents) }
}

/** Transport contracts by rail, where a flavour of the model gives them in their own class. */
function railNotes(holder: SourceNode | undefined, r: Reading) {
  return r.many(holder, 'TransportContractDocument').flatMap((node) => {
    const number = r.may(r.one(node, 'ID'), r.identifier(35))
    const typeCode = r.may(r.one(node, 'TypeCode'), r.identifier(3))
    if (number === undefined || (typeCode !== undefined && !isRailNoteType(typeCode))) return []
    return [present({ number, typeCode, date: r.may(r.one(node, 'IssueDateTime'), r.date) })]
  })
}

function previousOf(holder: SourceNode, r: Reading): DocumentReference[] {
  return r.many(holder, 'PreviousDocument').flatMap((node): DocumentReference[] => {
    const typeCode =
      r.may(r.one(node, 'TypeCode'), r.identifier(8)) ?? r.may(r.one(node, 'CategoryCode'), r.identifier(3))
    if (typeCode === undefined) return r.note('intake/element-left-out', node, { lacks: 'TypeCode' }) ?? []
    return [present({ typeCode, id: r.may(r.one(node, 'ID'), r.identifier(70)) })]
  })
}
