import type { HomeDeclaration, NamedText, Party, Seal } from '../../src/clearance/model.ts'
import { type Box, goodsKgOf } from './units.ts'

/** An element: its name with attributes as they are written, and its text or its elements in order. */
export type Xml = readonly [start: string, content: string | readonly Xml[]]

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export function xmlText([start, content]: Xml, depth = 0): string {
  const pad = '  '.repeat(depth)
  const name = start.split(' ')[0]!
  if (typeof content === 'string') return `${pad}<${start}>${escaped(content)}</${name}>\n`
  return `${pad}<${start}>\n${content.map((child) => xmlText(child, depth + 1)).join('')}${pad}</${name}>\n`
}

const xmlFile = (root: Xml): string => `<?xml version="1.0" encoding="UTF-8"?>\n${xmlText(root)}`

/** What an IE029 of this corridor says: European goods released for transit, leaving the last office by rail for China. */
export interface TransitRelease {
  readonly mrn: string
  readonly lrn: string
  readonly acceptedOn: string
  readonly releasedOn: string
  readonly departureOffice: string
  readonly transitOffices: readonly string[]
  readonly destinationOffice: string
  readonly exitOffice: string
  readonly dispatch: string
  readonly destination: string
  readonly routing: readonly string[]
  readonly holder: Party
  readonly consignor: Party
  readonly consignee: Party
  readonly boxes: readonly Box[]
  readonly trainNumber: string
  readonly noteNumber: string
  readonly unloading: { readonly unLocode: string; readonly country: string; readonly location: string }
  readonly goods: readonly {
    readonly hs6: string
    readonly description: NamedText
    readonly grossMass: string
    readonly netMass: string
    readonly packageType: string
    readonly packages: number
    readonly boxes: readonly Box[]
  }[]
  readonly grn: string
}

/** Street and town of the invented parties, by country. */
const ADDRESSES: Readonly<Record<string, readonly [string, string]>> = {
  CN: ['铁路东路8号', '乌鲁木齐'],
  DE: ['Hafenstraße 12', 'Duisburg'],
  GB: ['1 Still Lane', 'Glasgow'],
  PL: ['ul. Kolejowa 4', 'Małaszewicze'],
}

const sequenced = (index: number, ...members: Xml[]): Xml[] => [['sequenceNumber', String(index + 1)], ...members]

function partyElement(name: string, party: Party, idName = 'identificationNumber'): Xml {
  return [
    name,
    [
      ...(party.id === undefined ? [] : [[idName, party.id] as Xml]),
      ...(party.name === undefined ? [] : [['name', party.name.text] as Xml]),
      ...(party.country === undefined
        ? []
        : [
            [
              'Address',
              [
                ['streetAndNumber', ADDRESSES[party.country]?.[0] ?? '1'],
                ['city', ADDRESSES[party.country]?.[1] ?? party.country],
                ['country', party.country],
              ],
            ] as Xml,
          ]),
    ],
  ]
}

/** The message as ordered elements, from which both the XML and the JSON form are written. */
function releaseElements(release: TransitRelease): Xml[] {
  return [
    ['messageSender', 'NTA.PL'],
    ['messageRecipient', 'KZ-KGD'],
    ['preparationDateAndTime', `${release.releasedOn}T09:30:00`],
    ['messageIdentification', `KZ${release.lrn}`],
    ['messageType', 'CC029C'],
    [
      'TransitOperation',
      [
        ['LRN', release.lrn],
        ['MRN', release.mrn],
        ['declarationType', 'T1'],
        ['additionalDeclarationType', 'A'],
        ['declarationAcceptanceDate', release.acceptedOn],
        ['releaseDate', release.releasedOn],
        ['security', '0'],
        ['reducedDatasetIndicator', '0'],
        ['bindingItinerary', '0'],
      ],
    ],
    ['CustomsOfficeOfDeparture', [['referenceNumber', release.departureOffice]]],
    ['CustomsOfficeOfDestinationDeclared', [['referenceNumber', release.destinationOffice]]],
    ...release.transitOffices.map(
      (office, index): Xml => ['CustomsOfficeOfTransitDeclared', sequenced(index, ['referenceNumber', office])],
    ),
    ['CustomsOfficeOfExitForTransitDeclared', sequenced(0, ['referenceNumber', release.exitOffice])],
    partyElement('HolderOfTheTransitProcedure', release.holder),
    [
      'Guarantee',
      sequenced(
        0,
        ['guaranteeType', '1'],
        [
          'GuaranteeReference',
          sequenced(0, ['GRN', release.grn], ['amountToBeCovered', '250000.00'], ['currency', 'EUR']),
        ],
      ),
    ],
    [
      'Consignment',
      [
        ['countryOfDispatch', release.dispatch],
        ['countryOfDestination', release.destination],
        ['containerIndicator', '1'],
        ['inlandModeOfTransport', '2'],
        ['modeOfTransportAtTheBorder', '2'],
        ['grossMass', `${goodsKgOf(release.boxes)}.000000`],
        partyElement('Consignor', release.consignor),
        partyElement('Consignee', release.consignee),
        ...release.boxes.map(
          (box, index): Xml => [
            'TransportEquipment',
            sequenced(
              index,
              ['containerIdentificationNumber', box.id],
              ['numberOfSeals', String(box.seals.length)],
              ...box.seals.map((seal: Seal, at): Xml => ['Seal', sequenced(at, ['identifier', seal.id])]),
              ...release.goods.flatMap((goods, item): Xml[] =>
                goods.boxes.includes(box)
                  ? [['GoodsReference', sequenced(item, ['declarationGoodsItemNumber', String(item + 1)])]]
                  : [],
              ),
            ),
          ],
        ),
        [
          'DepartureTransportMeans',
          sequenced(
            0,
            ['typeOfIdentification', '21'],
            ['identificationNumber', release.trainNumber],
            ['nationality', 'PL'],
          ),
        ],
        ...release.routing.map(
          (country, index): Xml => ['CountryOfRoutingOfConsignment', sequenced(index, ['country', country])],
        ),
        [
          'PlaceOfUnloading',
          [
            ['UNLocode', release.unloading.unLocode],
            ['country', release.unloading.country],
            ['location', release.unloading.location],
          ],
        ],
        ['TransportDocument', sequenced(0, ['type', 'N720'], ['referenceNumber', release.noteNumber])],
        [
          'HouseConsignment',
          sequenced(
            0,
            ['grossMass', `${goodsKgOf(release.boxes)}.000000`],
            ...release.goods.map(
              (goods, index): Xml => [
                'ConsignmentItem',
                [
                  ['goodsItemNumber', String(index + 1)],
                  ['declarationGoodsItemNumber', String(index + 1)],
                  ['declarationType', 'T1'],
                  [
                    'Commodity',
                    [
                      ['descriptionOfGoods', goods.description.text],
                      ['CommodityCode', [['harmonizedSystemSubHeadingCode', goods.hs6]]],
                      [
                        'GoodsMeasure',
                        [
                          ['grossMass', goods.grossMass],
                          ['netMass', goods.netMass],
                        ],
                      ],
                    ],
                  ],
                  [
                    'Packaging',
                    sequenced(
                      0,
                      ['typeOfPackages', goods.packageType],
                      ['numberOfPackages', String(goods.packages)],
                      ['shippingMarks', 'NO MARKS'],
                    ),
                  ],
                ],
              ],
            ),
          ),
        ],
      ],
    ],
  ]
}

export function nctsReleaseXml(release: TransitRelease): string {
  return xmlFile(['ncts:CC029C PhaseID="NCTS5.0" xmlns:ncts="http://ncts.dgtaxud.ec"', releaseElements(release)])
}

/** Elements that the JSON form writes as arrays, also when there is only one. */
const REPEATED = new Set([
  'CustomsOfficeOfTransitDeclared',
  'CustomsOfficeOfExitForTransitDeclared',
  'Guarantee',
  'GuaranteeReference',
  'TransportEquipment',
  'Seal',
  'GoodsReference',
  'DepartureTransportMeans',
  'CountryOfRoutingOfConsignment',
  'TransportDocument',
  'HouseConsignment',
  'ConsignmentItem',
  'Packaging',
])
/** Elements that the JSON form writes as numbers. */
const NUMBERS = new Set([
  'numberOfSeals',
  'declarationGoodsItemNumber',
  'numberOfPackages',
  'amountToBeCovered',
  'grossMass',
  'netMass',
])

/** A number of the JSON form in the text it is written with. */
class Written {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

function jsonOf(elements: readonly Xml[]): Record<string, unknown> {
  const members: Record<string, unknown> = {}
  for (const [name, content] of elements) {
    const value =
      typeof content !== 'string'
        ? jsonOf(content)
        : NUMBERS.has(name)
          ? new Written(content.replace(/\.0+$/, ''))
          : content
    if (REPEATED.has(name)) members[name] = [...((members[name] as unknown[] | undefined) ?? []), value]
    else members[name] = value
  }
  return members
}

export function nctsReleaseJson(release: TransitRelease): string {
  const message = { 'n1:CC029C': { ...jsonOf(releaseElements(release)), '@PhaseID': 'NCTS5.0' } }
  const marked = JSON.stringify(message, (_, value) => (value instanceof Written ? `§${value.text}§` : value), 2)
  return `${marked.replace(/"§([\d.]+)§"/g, '$1')}\n`
}

const stamp = (instant: string) => `${instant.replace(/[-T:]/g, '').slice(0, 14)}Z`
const measured = (name: string, kilograms: string | undefined): Xml[] =>
  kilograms === undefined ? [] : [[`${name} unitCode="KGM"`, kilograms]]

/** An export declaration of the WCO Data Model 3.6 (DEC) with the names of the data management flavour. */
export function wcoDeclarationXml({
  declaration,
  consignment,
  parties,
  equipment,
  items,
  customsDecision,
}: HomeDeclaration): string {
  const party = (name: string, from: Party | undefined): Xml[] =>
    from === undefined
      ? []
      : [
          [
            name,
            [
              ...(from.name === undefined ? [] : [[`Name languageID="${from.name.language}"`, from.name.text] as Xml]),
              ...(from.id === undefined ? [] : [['ID', from.id] as Xml]),
              ...(from.country === undefined ? [] : [['Address', [['CountryCode', from.country]]] as Xml]),
            ],
          ],
        ]
  const boxAt = new Map(equipment.map((box, index) => [box.id, String(index + 1)]))
  const root: Xml = [
    'md:MetaData xmlns:md="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2" xmlns="urn:wco:datamodel:WCO:DEC-DMS:2"',
    [
      ['md:WCODataModelVersionCode', '3.6'],
      ['md:WCOTypeName', 'DEC'],
      ['md:ResponsibleCountryCode', consignment.exportCountry],
      [
        'Declaration',
        [
          ['AcceptanceDateTime', [['DateTimeString formatCode="304"', stamp(declaration.acceptanceDateTime!)]]],
          ['FunctionCode', '9'],
          ['FunctionalReferenceID', declaration.functionalReferenceId ?? declaration.id],
          ['ID', declaration.id],
          ['TypeCode', declaration.kind === 'EX' ? 'EXA' : 'TRA'],
          ['VersionID', String(declaration.versionId)],
          ['DeclarationOfficeID', declaration.officeId!],
          ['GoodsItemQuantity', String(items.length)],
          ...(declaration.invoiceAmount === undefined
            ? []
            : [
                [
                  `InvoiceAmount currencyID="${declaration.invoiceAmount.currency}"`,
                  declaration.invoiceAmount.value,
                ] as Xml,
              ]),
          ...measured('TotalGrossMassMeasure', declaration.totalGrossMass),
          ['TotalPackageQuantity', String(declaration.totalPackageQuantity)],
          ['BorderTransportMeans', [['ModeCode', '2']]],
          [
            'Consignment',
            (consignment.routingCountries ?? []).map(
              (country, index): Xml => [
                'Itinerary',
                [
                  ['SequenceNumeric', String(index + 1)],
                  ['RoutingCountryCode', country],
                ],
              ],
            ),
          ],
          ...party('Declarant', parties.declarant),
          ['ExitOffice', [['ID', declaration.exitOfficeId!]]],
          ...party('Exporter', parties.exporter ?? parties.consignor),
          [
            'GoodsShipment',
            [
              ...party('Consignee', parties.consignee),
              [
                'Consignment',
                [
                  ['ContainerCode', equipment.length > 0 ? '1' : '0'],
                  ['DepartureTransportMeans', [['ModeCode', '2']]],
                  ...(consignment.departureStation?.name === undefined
                    ? []
                    : [['LoadingLocation', [['Name', consignment.departureStation.name.text]]] as Xml]),
                  ...equipment.map(
                    (box): Xml => [
                      'TransportEquipment',
                      [
                        ['SequenceNumeric', boxAt.get(box.id)!],
                        ['ID', box.id],
                      ],
                    ],
                  ),
                ],
              ],
              ...party('Consignor', parties.consignor),
              ['Destination', [['CountryCode', consignment.destinationCountry]]],
              ['ExportCountry', [['ID', consignment.exportCountry]]],
              ...items.map(
                (item): Xml => [
                  'GovernmentAgencyGoodsItem',
                  [
                    ['SequenceNumeric', String(item.sequence)],
                    ...(item.statisticalValue === undefined
                      ? []
                      : [
                          [
                            `StatisticalValueAmount currencyID="${item.statisticalValue.currency}"`,
                            item.statisticalValue.value,
                          ] as Xml,
                        ]),
                    [
                      'Commodity',
                      [
                        [`Description languageID="${item.description.language}"`, item.description.text],
                        [
                          'Classification',
                          [
                            ['ID', item.commodityCode],
                            ['IdentificationTypeCode', 'TSP'],
                          ],
                        ],
                        [
                          'GoodsMeasure',
                          [
                            ...measured('GrossMassMeasure', item.grossMass),
                            ...measured('NetNetWeightMeasure', item.netMass),
                          ],
                        ],
                        ...(item.amount === undefined
                          ? []
                          : [
                              [
                                'InvoiceLine',
                                [[`ItemChargeAmount currencyID="${item.amount.currency}"`, item.amount.value]],
                              ] as Xml,
                            ]),
                      ],
                    ],
                    [
                      'GovernmentProcedure',
                      [
                        ['CurrentCode', declaration.procedureCode!.slice(0, 2)],
                        ['PreviousCode', '00'],
                      ],
                    ],
                    ...(item.originCountry === undefined
                      ? []
                      : [['Origin', [['CountryCode', item.originCountry]]] as Xml]),
                    ...(item.packages ?? []).map(
                      (packaging, index): Xml => [
                        'Packaging',
                        [
                          ['SequenceNumeric', String(index + 1)],
                          ...(packaging.quantity === undefined
                            ? []
                            : [['QuantityQuantity', String(packaging.quantity)] as Xml]),
                          ['TypeCode', packaging.typeCode!],
                        ],
                      ],
                    ),
                  ],
                ],
              ),
            ],
          ],
          [
            'Status',
            [['ReleaseDateTime', [['DateTimeString formatCode="304"', stamp(customsDecision.releaseDateTime!)]]]],
          ],
        ],
      ],
    ],
  ]
  return xmlFile(root)
}
