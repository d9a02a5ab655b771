import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { notesOf, problemsOf, readAll } from '../../../tests/builders/intake.ts'

const sample = (name: string): string =>
  readFileSync(new URL(`../../../samples/formats/${name}`, import.meta.url), 'utf8')
const rail = sample('wco-dms-export-rail.xml')

const takenOf = async (text: string, options = {}) => {
  const [entry] = await readAll(text, options)
  if (!entry?.result.ok) throw new Error(problemsOf(entry).join(', '))
  return entry.result.value
}
const refusedOf = async (text: string, options = {}) => {
  const [entry] = await readAll(text, options)
  return entry?.result.ok ? 'taken' : problemsOf(entry)
}
/** The rail sample with one place written otherwise. */
const but = (from: string | RegExp, to: string): string => {
  const changed = rail.replace(from, to)
  expect(changed).not.toBe(rail)
  return changed
}

describe('a WCO declaration for export by rail', () => {
  test('carries number, version, offices, sums and the instant of acceptance', async () => {
    const record = await takenOf(rail)
    expect(record).toMatchObject({
      record: 'declaration',
      content: {
        declaration: {
          id: '55300/201126/0007781',
          kind: 'EX',
          typeCode: 'EXA',
          versionId: 2,
          functionalReferenceId: 'EXP-2026-7781',
          acceptanceDateTime: '2026-11-20T05:15:00.000Z',
          officeId: '55300',
          exitOfficeId: '55300',
          procedureCode: '1000',
          goodsItemQuantity: 2,
          totalPackageQuantity: 82,
          totalGrossMass: '51600',
          invoiceAmount: { value: '241300.5', currency: 'USD' },
          ucr: '6KZ100240000123-7781',
        },
        customsDecision: { statusCode: 'cleared' },
      },
    })
  })

  test('carries the route, the wagon, the container with its seal, and the note of carriage', async () => {
    const { content } = await takenOf(rail)
    expect(content).toMatchObject({
      consignment: {
        notes: [{ number: '30217781', typeCode: '722', date: '2026-11-19' }],
        departureStation: { esr: '708507', name: { text: 'Достык', language: 'ru' } },
        destinationStation: { unLocode: 'CNLHW' },
        routingCountries: ['KZ', 'CN'],
        exportCountry: 'KZ',
        destinationCountry: 'CN',
        borderModeCode: '2',
        containerised: true,
        deliveryTerms: { code: 'DAP', place: 'Dostyk' },
        trainNumber: 'X8412',
      },
      equipment: [{ id: 'DSTU5100018', seals: [{ id: 'KZC0099001' }] }],
      wagons: [{ number: '94205776', idTypeCode: '1520-8' }],
    })
  })

  test('carries the items with tariff code, masses, packages, values and what they are loaded in', async () => {
    const { content } = await takenOf(rail)
    expect(content).toMatchObject({
      items: [
        {
          sequence: 1,
          commodityCode: '7403110000',
          classificationType: 'TNVED',
          description: { text: 'Катоды из рафинированной меди', language: 'ru' },
          grossMass: '26100',
          netMass: '26000',
          packages: [{ typeCode: 'PK', quantity: 12 }],
          amount: { value: '196300.5', currency: 'USD' },
          statisticalValue: { value: '196000', currency: 'USD' },
          originCountry: 'KZ',
          equipmentIds: ['DSTU5100018'],
        },
        {
          sequence: 2,
          commodityCode: '850760',
          supplementaryQuantity: { value: '7000', unitCode: 'NAR' },
          dangerousGoods: ['3480'],
        },
      ],
      documents: [
        { typeCode: 'N722', id: '30217781', date: '2026-11-19' },
        { typeCode: 'N380', id: 'INV-88' },
      ],
    })
  })

  test('carries the parties in their own script', async () => {
    const { content } = await takenOf(rail)
    expect(content).toMatchObject({
      parties: {
        exporter: { name: { text: 'ТОО «Медь Балхаша»', language: 'ru' }, id: '100240000123', country: 'KZ' },
        consignee: { name: { text: '甘肃有色金属有限公司', language: 'zh' }, country: 'CN' },
        declarant: { id: '100240000123' },
        carriers: [{ id: '27' }],
      },
    })
  })
})

describe('the family of WCO declarations', () => {
  test('takes the published samples for export and says what it inferred', async () => {
    const [first] = await readAll(sample('wco-dms-export-TT_EX001a.xml'))
    expect(first?.result.ok && first.result.value.content).toMatchObject({
      declaration: { id: 'U.7847323YIPYA', ucr: '5GB348579783333-AVCVSC' },
      items: [{ commodityCode: '46021910', grossMass: '10', netMass: '5' }],
      customsDecision: { statusCode: 'not-cleared' },
    })
    expect(notesOf(first)).toContain('intake/value-inferred /MetaData/Declaration/FunctionalReferenceID')
    const [second] = await readAll(sample('wco-dms-export-TT_EX010a.xml'))
    expect(second?.result.ok && second.result.value.content).toMatchObject({
      declaration: { invoiceAmount: { value: '9500', currency: 'GBP' } },
      customsDecision: { statusCode: 'cleared' },
    })
  })

  test('takes a declaration without MetaData, and other namespaces of the family', async () => {
    const bare = rail
      .replace(
        /^[\s\S]*?<Declaration>/,
        '<Declaration xmlns="urn:wco:datamodel:WCO:Declaration:2" xmlns:p1="urn:wco:datamodel:WCO:Declaration_DS:2">',
      )
      .replace('</md:MetaData>', '')
    expect((await takenOf(bare)).content).toEqual((await takenOf(rail)).content)
    const renamed = rail.replaceAll('urn:wco:datamodel:WCO:DEC-DMS:2', 'urn:wco:datamodel:WCO:DEC:3.6')
    expect((await takenOf(renamed)).content).toEqual((await takenOf(rail)).content)
  })

  test('ignores elements of a foreign namespace and counts what it does not carry', async () => {
    const [entry] = await readAll(
      but('<FunctionCode>', '<x:ID xmlns:x="urn:x">other</x:ID><Agent><ID>77</ID></Agent><FunctionCode>'),
    )
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      declaration: { id: '55300/201126/0007781' },
    })
    expect(entry?.notes.at(-1)).toMatchObject({ code: 'intake/elements-not-carried', facts: { first: 'ID' } })
  })

  test('counts one lodged before presentation as not cleared until acceptance is stated', async () => {
    const prelodged = but('<TypeCode>EXA<', '<TypeCode>EXD<')
    expect((await takenOf(prelodged)).content).toMatchObject({ customsDecision: { statusCode: 'cleared' } })
    const open = prelodged.replace(/<AcceptanceDateTime>.*<\/AcceptanceDateTime>/, '')
    expect((await takenOf(open)).content).toMatchObject({ customsDecision: { statusCode: 'not-cleared' } })
  })

  test('takes transit declarations, by their European and their UN codes', async () => {
    for (const type of ['TRA', 'T1', '821', 'TIR'])
      expect((await takenOf(but('<TypeCode>EXA<', `<TypeCode>${type}<`))).content).toMatchObject({
        declaration: { kind: 'TR' },
      })
  })

  test('makes a cancellation of function 1', async () => {
    const text = but(
      '<FunctionCode>9<',
      '<IssueDateTime><p1:DateTimeString formatCode="304">20261121080000Z</p1:DateTimeString></IssueDateTime><FunctionCode>1<',
    )
    expect(await takenOf(text)).toEqual({
      record: 'cancellation',
      content: {
        declaration: { id: '55300/201126/0007781', kind: 'EX', versionId: 2 },
        customsDecision: { statusCode: 'cancelled', effectiveDateTime: '2026-11-21T08:00:00.000Z' },
      },
    })
    expect(await refusedOf(but('<FunctionCode>9<', '<FunctionCode>1<'))).toEqual([
      'intake/element-missing /MetaData/Declaration/IssueDateTime',
    ])
  })

  test('needs a version for an amendment, and gives an original the version that the hand-over states', async () => {
    const bare = but('<VersionID>2</VersionID>', '')
    expect((await takenOf(bare)).content).toMatchObject({ declaration: { versionId: 1 } })
    expect((await takenOf(bare, { declarationVersion: 7 })).content).toMatchObject({ declaration: { versionId: 7 } })
    const amended = bare.replace('<FunctionCode>9<', '<FunctionCode>5<')
    expect(await refusedOf(amended)).toEqual(['intake/element-missing /MetaData/Declaration/VersionID'])
    expect((await takenOf(amended, { declarationVersion: 3 })).content).toMatchObject({ declaration: { versionId: 3 } })
  })

  test('puts a TARIC ending on the tariff code and prefers the code that names the tariff', async () => {
    const classes =
      '<Classification><ID>40</ID><IdentificationTypeCode>TRC</IdentificationTypeCode></Classification><Classification><ID>74031100</ID><IdentificationTypeCode>TSP</IdentificationTypeCode></Classification>'
    const text = but(/<Classification><ID>7403110000<.*?<\/Classification>/, classes)
    expect((await takenOf(text)).content).toMatchObject({
      items: [{ commodityCode: '7403110040', classificationType: 'TSP' }, {}],
    })
  })

  test('gives seals of equipment without a number to the only wagon, and notes seals it cannot place', async () => {
    const loose = but('<ID>DSTU 510001-8</ID>', '')
    expect((await takenOf(loose)).content).toMatchObject({ equipment: [], wagons: [{ seals: [{ id: 'KZC0099001' }] }] })
    const [entry] = await readAll(loose.replace(/<DepartureTransportMeans>.*<\/DepartureTransportMeans>/, ''))
    expect(entry?.notes.map(({ code }) => code)).toContain('intake/element-left-out')
  })

  test('takes the country of export from home when an export declaration leaves it open', async () => {
    const [entry] = await readAll(but('<ExportCountry><ID>KZ</ID></ExportCountry>', ''), { homeCountry: 'CN' })
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({ consignment: { exportCountry: 'CN' } })
    expect(notesOf(entry)).toContain('intake/value-inferred /MetaData/Declaration/GoodsShipment')
  })

  test('knows a negotiable bill by the name of its consignee', async () => {
    const text = but('甘肃有色金属有限公司', 'To the order of a bank')
    expect((await takenOf(text)).content).toMatchObject({ parties: { consignee: { kind: 'to-order' } } })
  })
})

describe('refusals of WCO messages', () => {
  test.each([
    ['wco-dms-import-TT_IM001a.xml', 'intake/not-an-export-declaration', 'IMA'],
    ['wco-dms-response-09_DMSCLE.xml', 'intake/message-not-taken', 'WCO RES 09'],
  ])('%s is refused by %s and its type %s', async (name, code, type) => {
    const [entry] = await readAll(sample(name))
    expect(entry?.result.ok === false && entry.result.refusal.problems).toEqual([
      expect.objectContaining({ code, facts: expect.objectContaining({ type }) }),
    ])
  })

  test('a request to cancel is no decision of customs', async () => {
    const text = but('<FunctionCode>9<', '<FunctionCode>13<').replace('<TypeCode>EXA<', '<TypeCode>INV<')
    const [entry] = await readAll(text)
    expect(entry?.result.ok === false && entry.result.refusal.problems[0]).toMatchObject({
      code: 'intake/message-not-taken',
      facts: { type: 'WCO DEC 13 INV' },
    })
  })

  test('an amendment of parts is not a whole version', async () => {
    const text = but(
      '<FunctionCode>9<',
      '<Amendment><Pointer><DocumentSectionCode>42A</DocumentSectionCode></Pointer></Amendment><FunctionCode>4<',
    )
    expect(await refusedOf(text)).toEqual(['intake/partial-amendment /MetaData/Declaration'])
  })

  test('a namespace of nobody is not taken for the family', async () => {
    expect(await refusedOf('<Declaration xmlns="urn:example"/>')).toEqual(['intake/namespace-unknown '])
    expect(await refusedOf('<Declaration/>')).toEqual(['intake/namespace-unknown '])
  })

  test.each([
    [
      'no number and no reference',
      [/<ID>55300\/201126\/0007781<\/ID>/, /<FunctionalReferenceID>.*?<\/FunctionalReferenceID>/],
      ['intake/element-missing /MetaData/Declaration/ID'],
    ],
    [
      'no goods',
      [/<GovernmentAgencyGoodsItem>[\s\S]*<\/GovernmentAgencyGoodsItem>/],
      ['intake/element-missing /MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem'],
    ],
    [
      'no destination',
      [/<Destination>.*<\/Destination>/],
      ['intake/element-missing /MetaData/Declaration/GoodsShipment/Destination/CountryCode'],
    ],
    [
      'no tariff code',
      [/<Classification><ID>8507.*<\/Classification>/],
      [
        'intake/element-missing /MetaData/Declaration/GoodsShipment/GovernmentAgencyGoodsItem[2]/Commodity/Classification/ID',
      ],
    ],
    ['no function', [/<FunctionCode>9<\/FunctionCode>/], ['intake/element-missing /MetaData/Declaration/FunctionCode']],
  ])('refuses %s', async (_what, removals, expected) => {
    const text = removals.reduce((all, removal) => all.replace(removal, ''), rail)
    expect(text).not.toBe(rail)
    expect(await refusedOf(text)).toEqual(expected)
  })

  test('names everything that is wrong, each with its line', async () => {
    const text = rail
      .replace('26100.000', '26100,000')
      .replace('unitCode="TNE"', 'unitCode="LBR"')
      .replace('20261120101500+05', '20261320101500')
      .replace('<CountryCode>CN</CountryCode></Destination>', '<CountryCode>CHN</CountryCode></Destination>')
      .replace(
        '<SequenceNumeric>2</SequenceNumeric>\n        <Commodity>',
        '<SequenceNumeric>1</SequenceNumeric>\n        <Commodity>',
      )
      .replace('<ExitOffice>', '<ExitOffice><ID>1</ID></ExitOffice><ExitOffice>')
      .replace('<ContainerCode>1<', '<ContainerCode>yes<')
    const [entry] = await readAll(text)
    expect(problemsOf(entry).map((line) => line.replace('/MetaData/Declaration', '…'))).toEqual(
      expect.arrayContaining([
        'intake/decimal-comma …/GoodsShipment/GovernmentAgencyGoodsItem[1]/Commodity/GoodsMeasure/GrossMassMeasure',
        'intake/unit-not-taken …/TotalGrossMassMeasure',
        'intake/date-not-in-calendar …/AcceptanceDateTime/DateTimeString',
        'intake/format-wrong …/GoodsShipment/Destination/CountryCode',
        'intake/sequence-repeated …/GoodsShipment/GovernmentAgencyGoodsItem[2]',
        'intake/element-repeated …/ExitOffice[2]',
        'intake/value-not-listed …/GoodsShipment/Consignment/ContainerCode',
      ]),
    )
    const lines = entry?.result.ok === false ? entry.result.refusal.problems.map(({ facts }) => facts?.['line']) : []
    expect(lines.every((line) => typeof line === 'number' && line > 1)).toBe(true)
  })
})

describe('what the clearance carries once', () => {
  const [item = ''] = /<GovernmentAgencyGoodsItem>[\s\S]*?<\/GovernmentAgencyGoodsItem>/.exec(rail) ?? []
  const procedure = /(<GovernmentProcedure>[\s\S]*?)<CurrentCode>10</

  test('keeps the procedure of each line at home, where the lines differ in it', async () => {
    const { content } = await takenOf(but(procedure, '$1<CurrentCode>31<'))
    expect(content).toMatchObject({ items: [{ procedureCode: '3100' }, { procedureCode: '1000' }] })
    expect(content).not.toHaveProperty('declaration.procedureCode')
  })

  test('keeps the consignee of each line, where no level above names one', async () => {
    const named = (name: string) => `<Consignee><Name>${name}</Name></Consignee></GovernmentAgencyGoodsItem>`
    const text = but(/<Consignee>[\s\S]*?<\/Consignee>/, '').replaceAll('</GovernmentAgencyGoodsItem>', named('A'))
    expect(await takenOf(text)).toMatchObject({ content: { parties: { consignee: { name: { text: 'A' } } } } })
    const { content } = await takenOf(text.replace('<Name>A</Name></Consignee>', '<Name>B</Name></Consignee>'))
    expect(content).toMatchObject({ items: [{ consignee: { name: { text: 'B' } } }, { consignee: {} }] })
    expect(content).not.toHaveProperty('parties.consignee')
    expect(item).not.toBe('')
  })

  test('takes every wagon of a group, as means of transport at departure', async () => {
    const means = ['52900016', '52900024'].map(
      (number) =>
        `<DepartureTransportMeans><ID>${number}</ID><IdentificationTypeCode>20</IdentificationTypeCode></DepartureTransportMeans>`,
    )
    const text = rail.replace(/<DepartureTransportMeans>[\s\S]*?<\/DepartureTransportMeans>/, '')
    const { content } = await takenOf(text.replace('<ContainerCode>', `${means.join('')}<ContainerCode>`))
    expect(content).toMatchObject({ wagons: expect.arrayContaining([expect.objectContaining({ number: '52900024' })]) })
  })
})
