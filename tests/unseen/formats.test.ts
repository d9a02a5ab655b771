/** Declarations written from the published element lists, as a system would write them that never saw our samples. */
import { describe, expect, test } from 'vitest'
import type { HomeDeclaration } from '../../src/clearance/index.ts'
import { codesOf, readAll } from '../builders/intake.ts'

const taken = async (text: string): Promise<HomeDeclaration> => {
  const [entry] = await readAll(text)
  if (!entry?.result.ok || entry.result.value.record !== 'declaration') throw new Error(codesOf(entry).join(' '))
  return entry.result.value.content
}
const refused = async (text: string): Promise<string> => {
  const [entry] = await readAll(text)
  return entry?.result.ok ? 'taken' : codesOf(entry).join(' ')
}
const el = (name: string, ...inner: string[]) => `<${name}>${inner.join('')}</${name}>`
const DEC = 'urn:wco:datamodel:WCO:DEC-DMS:2'

interface Wheat {
  readonly gross?: string
  readonly unit?: string
  readonly release?: string
  readonly head?: string
}
/** 57 t of wheat in two boxes from Kostanay by rail, in elements alone. */
function wheat({
  gross = '28500',
  unit = 'KGM',
  release = '2026-11-20T10:00:00+05:00',
  head = '',
}: Wheat = {}): string {
  const items = [1, 2].map((at) =>
    el(
      'GovernmentAgencyGoodsItem',
      el('SequenceNumeric', `${at}`),
      '<StatisticalValueAmount currencyID="USD">6127.5</StatisticalValueAmount>',
      el(
        'Commodity',
        '<Description languageID="ru">Пшеница мягкая, 3 класс</Description>',
        el('Classification', el('ID', '1001 99 000 0'), el('IdentificationTypeCode', 'TNVED')),
        el('GoodsMeasure', `<GrossMassMeasure unitCode="${unit}">${gross}</GrossMassMeasure>`),
        el('TransportEquipment', el('SequenceNumeric', `${at}`)),
      ),
      el('GovernmentProcedure', el('CurrentCode', '10'), el('PreviousCode', '00')),
      el('Packaging', el('QuantityQuantity', '1'), el('TypeCode', 'VG')),
    ),
  )
  const boxes = ['DSTU 410001-4', 'DSTU4100020'].map((id, at) =>
    el('TransportEquipment', el('SequenceNumeric', `${at + 1}`), el('ID', id), el('Seal', el('ID', `KZ${at}`))),
  )
  return el(
    'Declaration',
    el('FunctionCode', '9'),
    el('ID', '55302/201126/0099001'),
    el('TypeCode', 'EX'),
    head,
    release && el('Status', el('ReleaseDateTime', release)),
    el('BorderTransportMeans', el('ModeCode', '2')),
    el('ExitOffice', el('ID', '55302')),
    el(
      'GoodsShipment',
      el('Consignment', el('ContainerCode', '1'), ...boxes),
      el('Destination', el('CountryCode', 'CN')),
      el('ExportCountry', el('ID', 'KZ')),
      ...items,
    ),
  )
}
const inNamespace = (namespace = DEC, what: Wheat = {}) =>
  wheat(what).replace('<Declaration>', `<Declaration xmlns="${namespace}">`)

describe('a WCO declaration', () => {
  test('is the same in any spelling of its namespace, inside MetaData and alone', async () => {
    const expected = await taken(inNamespace())
    expect(expected).toMatchObject({
      declaration: { kind: 'EX', procedureCode: '1000' },
      equipment: [{ id: 'DSTU4100014', seals: [{ id: 'KZ0' }] }, { id: 'DSTU4100020' }],
      items: [{ equipmentIds: ['DSTU4100014'], commodityCode: '1001990000', grossMass: '28500' }, {}],
    })
    const prefixed = wheat()
      .replaceAll(/<(\/?)([A-Z])/g, '<$1w:$2')
      .replace('<w:Declaration', `<w:Declaration xmlns:w="${DEC}"`)
    const meta = '<MetaData xmlns="urn:wco:datamodel:WCO:DocumentMetaData-DMS:2"><WCOTypeName>DEC</WCOTypeName>'
    for (const text of [
      prefixed,
      `${meta}${inNamespace()}</MetaData>`,
      `\uFEFF<?xml version="1.0"?>\n<!-- sent by night -->${inNamespace('urn:wco:datamodel:WCO:DEC:1')}\n`,
      inNamespace('urn:wco:datamodel:KZ:DEC:3.6'),
    ])
      expect(await taken(text)).toEqual(expected)
  })

  test('has its masses in kilograms whatever unit they were written in, or is refused', async () => {
    for (const [gross, unit] of [
      ['28.5', 'TNE'],
      ['28500000', 'GRM'],
      ['028500.000', 'KGM'],
    ] as const)
      expect((await taken(inNamespace(DEC, { gross, unit }))).items[0]?.grossMass).toBe('28500')
    for (const unit of ['LBR', 'MT', 'DTN', ''])
      expect(await refused(inNamespace(DEC, { unit }))).toContain('intake/unit-not-taken')
    for (const gross of ['2.85E4', '28 500', '-1', 'NaN', '12345678901234567', '1.1234567'])
      expect(await refused(inNamespace(DEC, { gross })), gross).toContain('intake/format-wrong')
    expect(await refused(inNamespace(DEC, { gross: '28,5' }))).toContain('intake/decimal-comma')
  })

  test('has its release from itself, in any documented form of a date, and never from nowhere', async () => {
    const string = (text: string, code: string) => `<DateTimeString formatCode="${code}">${text}</DateTimeString>`
    for (const release of [
      string('20261120100000+0500', '304'),
      string('202611201000', '203'),
      '2026-11-20T05:00:00Z',
      '2026-11-20 10:00',
    ]) {
      const { customsDecision } = await taken(inNamespace(DEC, { release }))
      expect(customsDecision.releaseDateTime, release).toBe('2026-11-20T05:00:00.000Z')
    }
    expect((await taken(inNamespace(DEC, { release: '' }))).customsDecision).toEqual({ statusCode: 'cleared' })
    for (const release of ['2026-11-31T10:00:00Z', '2026-11-20T24:30:00Z'])
      expect(await refused(inNamespace(DEC, { release }))).toBe('intake/date-not-in-calendar')
    for (const release of ['20.11.2026', string('20261120', '999')])
      expect(await refused(inNamespace(DEC, { release }))).toBe('intake/format-wrong')
  })

  test('that is said twice in one document is refused, wherever it is said twice', async () => {
    const twice = (name: string) => inNamespace().replace(new RegExp(`(<${name}>[^<]*</${name}>)`), '$1$1')
    for (const name of ['FunctionCode', 'TypeCode', 'CurrentCode'])
      expect(await refused(twice(name))).toContain('repeated')
    expect(await refused(inNamespace() + inNamespace())).toBe('intake/xml-syntax')
    const status = '<Status><ReleaseDateTime>2026-11-21T05:00:00Z</ReleaseDateTime></Status>'
    expect(await refused(inNamespace(DEC, { head: status }))).toContain('intake/element-repeated')
  })
})

describe('a release of NCTS', () => {
  const member = (house: number) => ({
    sequenceNumber: `${house}`,
    grossMass: '12000.5',
    Consignor: { name: 'Muster Maschinen GmbH', Address: { city: 'Duisburg', country: 'DE' } },
    ConsignmentItem: [
      {
        goodsItemNumber: '1',
        declarationGoodsItemNumber: `${house}`,
        Commodity: {
          descriptionOfGoods: 'Parts of pumps',
          CommodityCode: { harmonizedSystemSubHeadingCode: '841391', combinedNomenclatureCode: '00' },
          GoodsMeasure: { grossMass: '12000.5', netMass: '11500' },
        },
        Packaging: [{ sequenceNumber: '1', typeOfPackages: 'CT', numberOfPackages: '20' }],
      },
    ],
  })
  const release = {
    messageType: 'CC029C',
    TransitOperation: {
      LRN: 'L1',
      MRN: '26DE0000000000012J',
      declarationType: 'T1',
      declarationAcceptanceDate: '2026-11-17',
      releaseDate: '2026-11-18',
    },
    CustomsOfficeOfDeparture: { referenceNumber: 'DE003302' },
    Consignment: {
      countryOfDispatch: 'DE',
      countryOfDestination: 'CN',
      containerIndicator: '1',
      modeOfTransportAtTheBorder: '2',
      grossMass: '24001',
      TransportEquipment: ['DSTU4100014', 'DSTU4100020'].map((id, at) => ({
        sequenceNumber: `${at + 1}`,
        containerIdentificationNumber: id,
        Seal: [
          { sequenceNumber: '1', identifier: `S${at}A` },
          { sequenceNumber: '2', identifier: `S${at}B` },
        ],
        GoodsReference: [{ sequenceNumber: '1', declarationGoodsItemNumber: `${at + 1}` }],
      })),
      CountryOfRoutingOfConsignment: ['PL', 'KZ', 'CN'].map((country, at) => ({
        sequenceNumber: `${at + 1}`,
        country,
      })),
      HouseConsignment: [member(1), member(2)],
    },
  }
  type Tree = { readonly [name: string]: string | Tree | readonly (string | Tree)[] }
  const xmlOf = (tree: Tree): string =>
    Object.entries(tree)
      .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const))
      .map(([name, one]) => el(name, typeof one === 'string' ? one : xmlOf(one as Tree)))
      .join('')

  test('reads alike in XML and in JSON, with numbers for texts and one for a list of one', async () => {
    const xml = `<n:CC029C xmlns:n="http://ncts.dgtaxud.ec" PhaseID="NCTS5.1">${xmlOf(release)}</n:CC029C>`
    const expected = await taken(xml)
    expect(expected).toMatchObject({
      consignment: { routingCountries: ['PL', 'KZ', 'CN'], borderModeCode: '2' },
      equipment: [{ seals: [{ id: 'S0A' }, { id: 'S0B' }] }, {}],
      items: [
        { sequence: 1, equipmentIds: ['DSTU4100014'] },
        { sequence: 2, equipmentIds: ['DSTU4100020'] },
      ],
    })
    expect(await taken(JSON.stringify({ 'n1:CC029C': release }))).toEqual(expected)
    const loose = JSON.stringify({ CC029C: { ...release, TransitOperation: [release.TransitOperation] } }, null, 2)
    expect(await taken(loose.replaceAll('"12000.5"', '12000.5'))).toEqual(expected)
    expect(await refused(JSON.stringify({ CC029C: release }).replaceAll('"12000.5"', '1.2E4'))).toContain(
      'format-wrong',
    )
    expect(await refused(JSON.stringify({ CC029C: release, CC015C: release }))).toBe('intake/record-unknown')
    expect(await refused(`${xml}${xml}`)).toBe('intake/xml-syntax')
  })
})
