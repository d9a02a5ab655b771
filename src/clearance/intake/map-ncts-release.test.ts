import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { notesOf, problemsOf, readAll } from '../../../tests/builders/intake.ts'
import type { HomeDeclaration } from '../model.ts'

const sample = (name: string): string =>
  readFileSync(new URL(`../../../samples/formats/${name}`, import.meta.url), 'utf8')
const xml = sample('ncts5-cc029c-valid.xml')
const json = sample('ncts5-cc029c-valid.json')
const tad = sample('ncts5-ie029-post-transition-tad.xml')

const takenOf = async (text: string, options = {}): Promise<HomeDeclaration> => {
  const [entry] = await readAll(text, options)
  if (!entry?.result.ok || entry.result.value.record !== 'declaration') throw new Error(problemsOf(entry).join(', '))
  return entry.result.value.content
}
const refusedOf = async (text: string) => {
  const [entry] = await readAll(text)
  return entry?.result.ok ? 'taken' : problemsOf(entry)
}
const but = (text: string, from: string | RegExp, to: string): string => {
  const changed = text.replace(from, to)
  expect(changed).not.toBe(text)
  return changed
}

describe('a release for transit', () => {
  test('is cleared for transit, with number, dates, offices and guarantees', async () => {
    expect(await takenOf(tad)).toMatchObject({
      declaration: {
        id: '24GB000246J8NY33L7',
        kind: 'TR',
        typeCode: 'T1',
        versionId: 1,
        functionalReferenceId: 'GB8d53f132d00045f3c154',
        acceptanceDateTime: '2024-12-03T19:00:00.000Z',
        officeId: 'GB000246',
        exitOfficeId: 'XI000081',
        intendedEntryOfficeId: 'XI000142',
        totalGrossMass: '5500',
      },
      customsDecision: { statusCode: 'cleared', releaseDateTime: '2024-12-03T19:00:00.000Z', controlResult: 'A3' },
    })
    expect((await takenOf(tad)).guarantees).toHaveLength(7)
  })

  test('carries the items with the containers that hold them', async () => {
    const { equipment, items } = await takenOf(tad)
    expect(equipment).toEqual([{ id: 'WGPCGR', seals: [{ id: '1234' }] }])
    expect(items).toMatchObject([
      {
        sequence: 1,
        commodityCode: '010130',
        grossMass: '1000',
        netMass: '950',
        dangerousGoods: ['UNC005D'],
        equipmentIds: ['WGPCGR'],
      },
      { sequence: 2, packages: [{ quantity: 50 }, { quantity: 50 }, { quantity: 200 }] },
    ])
  })

  test('says the same of XML and of JSON', async () => {
    const [fromXml, fromJson] = [await takenOf(xml), await takenOf(json)]
    expect({ ...fromJson.declaration, id: '' }).toEqual({ ...fromXml.declaration, id: '' })
    expect(fromJson.consignment).toEqual({ ...fromXml.consignment, departureStation: undefined })
    expect(fromJson.parties).toEqual(fromXml.parties)
    expect(fromJson.equipment).toEqual(fromXml.equipment)
    expect(fromJson.documents).toEqual(fromXml.documents)
    const { grossMass: _gross, netMass: _net, ...item } = fromXml.items[0] ?? {}
    expect(fromJson.items).toEqual([item])
  })

  test('takes wagons, the train and the seals of a wagon', async () => {
    const text = but(
      tad,
      /<DepartureTransportMeans>[\s\S]*<\/DepartureTransportMeans>/,
      '<DepartureTransportMeans><sequenceNumber>1</sequenceNumber><typeOfIdentification>20</typeOfIdentification><identificationNumber>9420 5776</identificationNumber><nationality>KZ</nationality></DepartureTransportMeans>',
    )
    const rail = but(
      text,
      '<typeOfIdentification>11</typeOfIdentification>\n            <identificationNumber>Spideychelle<',
      '<typeOfIdentification>21</typeOfIdentification>\n            <identificationNumber>X8412<',
    )
    const content = await takenOf(but(rail, '<type>N785</type>', '<type>N722</type>'))
    expect(content.wagons).toEqual([{ number: '94205776', idTypeCode: '1520-8', seals: [{ id: 'seal43' }] }])
    expect(content.consignment).toMatchObject({
      trainNumber: 'X8412',
      notes: [{ number: 'Item2TransportDocumentCL312312313', typeCode: '722' }],
    })
  })

  test('asks the houses, the items and then the offices for the countries', async () => {
    const bare = tad.replaceAll(/<countryOf(Dispatch|Destination)>..<\/countryOf(Dispatch|Destination)>/g, '')
    const [entry] = await readAll(bare)
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      consignment: { exportCountry: 'GB', destinationCountry: 'XI' },
    })
    expect(notesOf(entry).filter((note) => note.startsWith('intake/value-inferred'))).toHaveLength(2)
    const housed = bare.replace(
      '<grossMass>5500</grossMass>\n            <ConsignmentItem>',
      '<countryOfDispatch>KZ</countryOfDispatch><grossMass>5500</grossMass>\n            <ConsignmentItem>',
    )
    expect((await takenOf(housed)).consignment.exportCountry).toBe('KZ')
  })

  test('is cleared after a check when the control was satisfactory', async () => {
    const content = await takenOf(but(tad, '<code>A3</code>', '<code>A1</code>'))
    expect(content.customsDecision).toMatchObject({ statusCode: 'cleared-after-check', controlResult: 'A1' })
  })

  test('takes the limit of the transit as a date', async () => {
    const content = await takenOf(
      but(tad, '<bindingItinerary>1<', '<limitDate>2024-12-20</limitDate><bindingItinerary>1<'),
    )
    expect(content.customsDecision.transitLimitDate).toBe('2024-12-20')
  })

  test('reads countries in small letters and two-digit modes in their standard spelling, and says so', async () => {
    const [entry] = await readAll(json)
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({ consignment: { exportCountry: 'ST' } })
    expect(notesOf(entry)).toContain('intake/value-normalised /n1:CC029C/Consignment/countryOfDispatch')
    expect((await takenOf(tad)).consignment.borderModeCode).toBe('3')
  })

  test('keeps the first 99 of many previous documents and says how many it left out', async () => {
    const many = Array.from(
      { length: 120 },
      (_, at) =>
        `<PreviousDocument><sequenceNumber>${at + 1}</sequenceNumber><type>N830</type><referenceNumber>P${at}</referenceNumber></PreviousDocument>`,
    )
    const [entry] = await readAll(but(tad, /(\s*<PreviousDocument>[\s\S]*?<\/PreviousDocument>){2}/, many.join('')))
    expect(entry?.result.ok && entry.result.value.content).toMatchObject({
      declaration: { previousDocuments: { length: 99 } },
    })
    expect(entry?.notes).toContainEqual(
      expect.objectContaining({
        code: 'intake/element-left-out',
        facts: expect.objectContaining({ max: 99, others: 24 }),
      }),
    )
  })

  test('takes the version that the hand-over states', async () => {
    expect((await takenOf(tad, { declarationVersion: 4 })).declaration.versionId).toBe(4)
  })
})

describe('refusals of NCTS messages', () => {
  test.each([
    ['ncts5-cc015c-valid-2.xml', 'CC015C'],
    ['ncts5-cc025c-valid.xml', 'CC025C'],
    ['ncts5-cc044c-valid.json', 'CC044C'],
  ])('%s is not the release for transit but %s', async (name, type) => {
    const [entry] = await readAll(sample(name))
    expect(entry?.result.ok === false && entry.result.refusal.problems).toEqual([
      { code: 'intake/message-not-taken', pointer: '', facts: { type } },
    ])
  })

  test('the namespace must be that of NCTS', async () => {
    expect(await refusedOf(tad.replaceAll('http://ncts.dgtaxud.ec', 'http://example.org'))).toEqual([
      'intake/namespace-unknown ',
    ])
  })

  test('the message type inside must be that of the root', async () => {
    expect(await refusedOf(but(tad, '<messageType>CC029C<', '<messageType>CC028C<'))).toEqual([
      'intake/message-type-disagrees /CC029C',
    ])
  })

  test.each([
    ['MRN', /<MRN>.*<\/MRN>/, ['intake/element-missing /CC029C/TransitOperation/MRN']],
    ['release date', /<releaseDate>.*<\/releaseDate>/, ['intake/element-missing /CC029C/TransitOperation/releaseDate']],
    ['operation', /<TransitOperation>[\s\S]*<\/TransitOperation>/, ['intake/element-missing /CC029C/TransitOperation']],
    ['consignment', /<Consignment>[\s\S]*<\/Consignment>/, ['intake/element-missing /CC029C/Consignment']],
    [
      'house',
      /<HouseConsignment>[\s\S]*<\/HouseConsignment>/,
      ['intake/element-missing /CC029C/Consignment/HouseConsignment'],
    ],
    [
      'description',
      /<descriptionOfGoods>Glass Bottles<\/descriptionOfGoods>/,
      ['intake/element-missing /CC029C/Consignment/HouseConsignment/ConsignmentItem[2]/Commodity/descriptionOfGoods'],
    ],
  ])('refuses a release without %s', async (_what, removal, expected) => {
    expect(await refusedOf(but(tad, removal, ''))).toEqual(expected)
  })

  test('refuses two items with one number and masses that are none', async () => {
    const text = but(tad, /<declarationGoodsItemNumber>2</g, '<declarationGoodsItemNumber>1<').replace(
      '<grossMass>4500<',
      '<grossMass>-4500<',
    )
    expect(await refusedOf(text)).toEqual([
      'intake/format-wrong /CC029C/Consignment/HouseConsignment/ConsignmentItem[2]/Commodity/GoodsMeasure/grossMass',
      'intake/sequence-repeated /CC029C/Consignment/HouseConsignment/ConsignmentItem[2]',
    ])
  })
})

test('a release of several houses keeps the consignee of each at home, and notes a box for an item that is not there', async () => {
  const names = ['First', 'Second']
  const item = /<ConsignmentItem>[\s\S]*?<\/ConsignmentItem>/
  const [house = ''] = /<HouseConsignment>[\s\S]*?<\/HouseConsignment>/.exec(tad) ?? []
  const bare = house.replace(/<Consignee>[\s\S]*?<\/Consignee>/g, '')
  const [one = ''] = item.exec(bare) ?? []
  const houses = names.map((name, at) => {
    const own = one.replace(/<declarationGoodsItemNumber>\d+/, `<declarationGoodsItemNumber>${at + 1}`)
    const only = bare.replace(/<ConsignmentItem>[\s\S]*<\/ConsignmentItem>/, own)
    return only.replace('<ConsignmentItem>', `<Consignee><name>${name}</name></Consignee><ConsignmentItem>`)
  })
  const text = tad
    .replace(/<HouseConsignment>[\s\S]*<\/HouseConsignment>/, houses.join(''))
    .replace(/<Consignee>(?!<name>)[\s\S]*?<\/Consignee>/g, '')
    .replace(/(<GoodsReference>[\s\S]*?<declarationGoodsItemNumber>)\d+/, '$199')
  const { items, parties } = await takenOf(text)
  expect(items.map(({ consignee }) => consignee?.name?.text)).toEqual(names)
  expect(parties.consignee).toBeUndefined()
  const [entry] = await readAll(text)
  expect(notesOf(entry).join()).toContain('GoodsReference')
})
