/** The documented tables: which columns there are, which of them every file needs, and what holds a record together. */

export interface CsvTable {
  readonly format: 'csv-declarations' | 'csv-railway-list'
  readonly columns: readonly string[]
  /** Columns without which no row can be read. */
  readonly needed: readonly string[]
  /** At least one of these must be there, when the list is not empty. */
  readonly neededOneOf: readonly string[]
  /** Consecutive rows are one record while these columns agree; an empty one agrees with any. */
  readonly key: readonly string[]
}

const partyColumns = ['consignor', 'consignee', 'exporter', 'importer', 'declarant', 'carrier'].flatMap((role) =>
  ['Name', 'Language', 'Id', 'Kind', 'Address', 'Country'].map((part) => role + part),
)

/** One row for each goods item; what belongs to the declaration is repeated, or stands in the first row alone. */
export const declarationsTable: CsvTable = {
  format: 'csv-declarations',
  columns: [
    ...['declarationId', 'kind', 'versionId', 'typeCode', 'functionalReferenceId', 'acceptanceDateTime', 'officeId'],
    ...[
      'exitOfficeId',
      'intendedEntryOfficeId',
      'procedureCode',
      'temporary',
      'temporaryValidUntil',
      'temporaryNetMass',
    ],
    ...[
      'goodsItemQuantity',
      'totalPackageQuantity',
      'totalGrossMass',
      'totalNetMass',
      'invoiceAmount',
      'invoiceCurrency',
    ],
    ...[
      'ucr',
      'previousDocuments',
      'noteNumber',
      'noteTypeCode',
      'noteDate',
      'departureStation',
      'departureStationName',
    ],
    ...['destinationStation', 'destinationStationName', 'borderStations', 'routingCountries', 'exportCountry'],
    ...[
      'destinationCountry',
      'borderModeCode',
      'containerised',
      'deliveryTermsCode',
      'deliveryTermsPlace',
      'trainNumber',
    ],
    ...['plannedBorderArrival', ...partyColumns, 'documents', 'guarantees', 'statusCode', 'releaseDateTime'],
    ...['effectiveDateTime', 'controlTypeCodes', 'controlResult', 'transitLimitDate', 'declarationPersonalUse'],
    ...['declarationPostal', 'declarationStateSecret', 'declarationOwnLaw'],
    ...[
      'sequence',
      'commodityCode',
      'classificationType',
      'description',
      'descriptionLanguage',
      'grossMass',
      'netMass',
    ],
    ...['supplementaryQuantity', 'supplementaryUnitCode', 'packageTypeCode', 'packageQuantity', 'marks', 'amount'],
    ...['currency', 'statisticalValue', 'statisticalCurrency', 'originCountry', 'dangerousGoods', 'equipmentIds'],
    ...['sizeTypeCode', 'fullnessCode', 'seals', 'wagonNumbers', 'identifiers', 'personalUse', 'postal', 'stateSecret'],
    'ownLaw',
  ],
  needed: [
    'declarationId',
    'kind',
    'exportCountry',
    'destinationCountry',
    'statusCode',
    'commodityCode',
    'description',
  ],
  neededOneOf: [],
  key: ['declarationId', 'versionId'],
}

/** One row for each wagon or container of a transfer list or consist. */
export const railwayListTable: CsvTable = {
  format: 'csv-railway-list',
  columns: [
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
    ...[
      'fromCountry',
      'to',
      'toName',
      'toCountry',
      'plannedDepartureAt',
      'departedAt',
      'plannedArrivalAt',
      'arrivedAt',
    ],
    ...['wagonSequence', 'wagonNumber', 'ownerRailway', 'wagonTareMass', 'wagonGrossMass', 'wagonNetMass', 'loadState'],
    ...['wagonSeals', 'containerId', 'sizeTypeCode', 'fullnessCode', 'containerGrossMass', 'containerTareMass'],
    ...['packageQuantity', 'containerSeals', 'noteNumber', 'noteTypeCode', 'noteDate', 'noteStation', 'declarationIds'],
  ],
  needed: ['from', 'to'],
  neededOneOf: ['wagonNumber', 'containerId'],
  key: ['trainNumber', 'trainIndex', 'transferListNumber', 'transferListDate', 'listVersion'],
}

/** Names are compared without case, spaces, hyphens and underscores. */
export const columnKey = (name: string): string => name.toLowerCase().replace(/[\s_-]+/g, '')
