import type { HomeDeclaration, HomeRecord, Party, RailwayList, Station } from '../../src/clearance/model.ts'

/** A cell is quoted where it must be: for the delimiter, a quotation mark or a line end inside it. */
function cellText(value: string, delimiter: string): string {
  return value.includes(delimiter) || /["\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

interface TableStyle {
  readonly delimiter: ',' | ';'
  /** Windows line ends and a byte order mark, as spreadsheets write them. */
  readonly spreadsheet: boolean
}

function table(columns: readonly string[], rows: readonly Record<string, string | undefined>[], style: TableStyle) {
  const end = style.spreadsheet ? '\r\n' : '\n'
  const used = columns.filter((column) => rows.some((row) => row[column] !== undefined))
  const lines = [used, ...rows.map((row) => used.map((column) => row[column] ?? ''))]
  const text = lines.map((cells) => cells.map((cell) => cellText(cell, style.delimiter)).join(style.delimiter) + end)
  return (style.spreadsheet ? '\ufeff' : '') + text.join('')
}

const codeOf = (station: Station | undefined) => station?.esr ?? station?.unLocode ?? station?.name?.text
const several = (values: readonly (string | undefined)[] | undefined) =>
  values === undefined || values.length === 0 ? undefined : values.join('|')

const HEADER = [
  ...['declarationId', 'kind', 'versionId', 'acceptanceDateTime', 'officeId', 'exitOfficeId', 'intendedEntryOfficeId'],
  ...['procedureCode', 'goodsItemQuantity', 'totalPackageQuantity', 'totalGrossMass', 'totalNetMass', 'invoiceAmount'],
  ...['invoiceCurrency', 'noteNumber', 'noteTypeCode', 'noteDate', 'departureStation', 'destinationStation'],
  ...['borderStations', 'routingCountries', 'exportCountry', 'destinationCountry', 'borderModeCode', 'containerised'],
]
const ROLES = ['consignor', 'consignee', 'exporter', 'declarant', 'carrier'] as const
const PARTY = ROLES.flatMap((role) => ['Name', 'Language', 'Id', 'Kind', 'Country'].map((part) => role + part))
const DECISION = ['statusCode', 'releaseDateTime']
const ITEM = [
  ...['sequence', 'commodityCode', 'classificationType', 'description', 'descriptionLanguage', 'supplementaryQuantity'],
  ...['supplementaryUnitCode', 'amount', 'currency', 'originCountry', 'equipmentIds', 'sizeTypeCode', 'fullnessCode'],
]

function partyCells(role: string, party: Party | undefined): Record<string, string | undefined> {
  return {
    [`${role}Name`]: party?.name?.text,
    [`${role}Language`]: party?.name?.language,
    [`${role}Id`]: party?.id,
    [`${role}Kind`]: party?.kind,
    [`${role}Country`]: party?.country,
  }
}

function declarationRows(home: HomeDeclaration): Record<string, string | undefined>[] {
  const { declaration, consignment, parties, customsDecision } = home
  const note = consignment.notes?.[0]
  const header: Record<string, string | undefined> = {
    acceptanceDateTime: declaration.acceptanceDateTime,
    officeId: declaration.officeId,
    exitOfficeId: declaration.exitOfficeId,
    intendedEntryOfficeId: declaration.intendedEntryOfficeId,
    procedureCode: declaration.procedureCode,
    goodsItemQuantity: declaration.goodsItemQuantity?.toString(),
    totalPackageQuantity: declaration.totalPackageQuantity?.toString(),
    totalGrossMass: declaration.totalGrossMass,
    totalNetMass: declaration.totalNetMass,
    invoiceAmount: declaration.invoiceAmount?.value,
    invoiceCurrency: declaration.invoiceAmount?.currency,
    noteNumber: note?.number,
    noteTypeCode: note?.typeCode,
    noteDate: note?.date,
    departureStation: codeOf(consignment.departureStation),
    destinationStation: codeOf(consignment.destinationStation),
    borderStations: several(consignment.borderStations?.map(codeOf)),
    routingCountries: several(consignment.routingCountries),
    exportCountry: consignment.exportCountry,
    destinationCountry: consignment.destinationCountry,
    borderModeCode: consignment.borderModeCode,
    containerised: consignment.containerised ? '1' : '0',
    ...partyCells('consignor', parties.consignor),
    ...partyCells('consignee', parties.consignee),
    ...partyCells('exporter', parties.exporter),
    ...partyCells('declarant', parties.declarant),
    ...partyCells('carrier', parties.carriers?.[0]),
    statusCode: customsDecision.statusCode,
    releaseDateTime: customsDecision.releaseDateTime,
  }
  const box = home.equipment[0]
  return home.items.map((item, index) => ({
    declarationId: declaration.id,
    kind: declaration.kind,
    versionId: String(declaration.versionId),
    ...(index === 0 ? header : {}),
    sequence: String(item.sequence),
    commodityCode: item.commodityCode,
    classificationType: item.classificationType,
    description: item.description.text,
    descriptionLanguage: item.description.language,
    supplementaryQuantity: item.supplementaryQuantity?.value,
    supplementaryUnitCode: item.supplementaryQuantity?.unitCode,
    amount: item.amount?.value,
    currency: item.amount?.currency,
    originCountry: item.originCountry,
    equipmentIds: several(item.equipmentIds),
    sizeTypeCode: box?.sizeTypeCode,
    fullnessCode: box?.fullnessCode,
  }))
}

/** Declarations of one box each: a row is a goods item, and what belongs to the declaration stands in its first row. */
export function declarationsCsv(records: readonly HomeRecord[], style: TableStyle): string {
  const rows = records.flatMap((record) => (record.record === 'declaration' ? declarationRows(record.content) : []))
  return table([...HEADER, ...PARTY, ...DECISION, ...ITEM], rows, style)
}

const LIST = [
  ...[
    'trainNumber',
    'trainIndex',
    'transferListNumber',
    'transferListDate',
    'listVersion',
    'gauge',
    'from',
    'fromName',
  ],
  ...['fromCountry', 'to', 'toName', 'toCountry', 'plannedDepartureAt', 'wagonSequence', 'wagonNumber', 'ownerRailway'],
  ...['wagonTareMass', 'wagonGrossMass', 'loadState', 'containerId', 'sizeTypeCode', 'fullnessCode'],
  ...['containerGrossMass', 'containerTareMass', 'packageQuantity', 'containerSeals', 'noteNumber', 'noteTypeCode'],
  ...['noteDate', 'noteStation', 'declarationIds'],
]

/** A transfer list of containers on wagons: a row for each container. */
export function railwayListCsv({ leg, listVersion, wagons, containers }: RailwayList, style: TableStyle): string {
  const wagonAt = new Map(wagons.map((wagon) => [wagon.number, wagon]))
  const rows = containers.map((box) => {
    const wagon = wagonAt.get(box.onWagon ?? '')
    const note = box.notes?.[0]
    return {
      trainNumber: leg.trainNumber,
      trainIndex: leg.trainIndex,
      transferListNumber: leg.transferListNumber,
      transferListDate: leg.transferListDate,
      listVersion: listVersion?.toString(),
      gauge: leg.gauge,
      from: leg.from.esr ?? leg.from.unLocode,
      fromName: leg.from.name?.text,
      fromCountry: leg.from.country,
      to: leg.to.esr ?? leg.to.unLocode,
      toName: leg.to.name?.text,
      toCountry: leg.to.country,
      plannedDepartureAt: leg.plannedDepartureAt,
      wagonSequence: wagon?.sequence?.toString(),
      wagonNumber: wagon?.number,
      ownerRailway: wagon?.ownerRailway,
      wagonTareMass: wagon?.tareMass,
      wagonGrossMass: wagon?.grossMass,
      loadState: wagon?.loadState,
      containerId: box.id,
      sizeTypeCode: box.sizeTypeCode,
      fullnessCode: box.fullnessCode,
      containerGrossMass: box.grossMass,
      containerTareMass: box.tareMass,
      packageQuantity: box.packageQuantity?.toString(),
      containerSeals: several(box.seals?.map((seal) => seal.id)),
      noteNumber: note?.number,
      noteTypeCode: note?.typeCode,
      noteDate: note?.date,
      noteStation: codeOf(note?.departureStation),
      declarationIds: several(box.declarationIds),
    }
  })
  return table(LIST, rows, style)
}
