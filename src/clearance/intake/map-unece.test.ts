import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { problemsOf, readAll } from '../../../tests/builders/intake.ts'

const sample = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../samples/formats/${name}`, import.meta.url), 'utf8'))
const note = sample('unece-smgs-consignment-note.json')
const list = sample('unece-rail-wagon-list.json')

const read = async (document: unknown) => (await readAll(JSON.stringify(document)))[0]
const takenOf = async (document: unknown) => {
  const entry = await read(document)
  if (!entry?.result.ok) throw new Error(problemsOf(entry).join(', '))
  return entry.result.value
}

describe('a UN/CEFACT consignment note', () => {
  test('tells the note, the stations, the units with their seals, and the goods', async () => {
    expect(await takenOf(note)).toMatchObject({
      record: 'consignment-note',
      content: {
        note: { number: '30212345', typeCode: '722', date: '2026-11-20', departureStation: { esr: '668208' } },
        consignor: { name: { text: 'ТОО «Степной экспорт»', language: 'ru' }, id: '123456789012', country: 'KZ' },
        consignee: { name: { language: 'zh' }, country: 'CN' },
        carriers: [{ id: '27' }],
        destinationStation: { unLocode: 'CNURC', country: 'CN' },
        borderStations: [{ esr: '707701' }, { name: { text: '霍尔果斯', language: 'zh' } }],
        wagons: [
          {
            number: '94205776',
            idTypeCode: '1520-8',
            tareMass: '21500',
            loadState: 'loaded',
            seals: [{ id: 'KZT0012345', sealingPartyRole: 'CA' }],
          },
        ],
        containers: [
          { id: 'DSTU4100014', onWagon: '94205776' },
          { id: 'DSTU4100020', onWagon: '94205776' },
        ],
        goods: [
          {
            description: { text: 'Пшеница мягкая, 3 класс', language: 'ru' },
            commodityCode: '10019900',
            grossMass: '54150.5',
            packageQuantity: 2,
            equipmentIds: ['DSTU4100014', 'DSTU4100020'],
          },
        ],
        declarationIds: ['55302/201126/0001234'],
      },
    })
  })

  test('is taken of CIM/SMGS too, with tonnes, several packings and a bill to order', async () => {
    expect(await takenOf(sample('unece-cim-smgs-consignment-note.json'))).toMatchObject({
      content: {
        note: { number: '00871', departureStation: { unLocode: 'DEDUI' } },
        consignee: { kind: 'to-order' },
        wagons: [{ number: '318045561234', idTypeCode: 'UIC-12' }],
        goods: [{ grossMass: '18250', packageQuantity: 25 }],
      },
    })
  })

  test('takes plain values where the standard writes objects', async () => {
    const plain = JSON.parse(JSON.stringify(note), (_key, value) =>
      value !== null && typeof value === 'object' && 'content' in value && Object.keys(value).length === 1
        ? value.content
        : value,
    )
    expect(await takenOf(plain)).toEqual(await takenOf(note))
  })

  test('needs a number and one consignment', async () => {
    const [consignment] = note.specifiedConsignment
    const { carrierAssignedId: _number, id: _id, ...nameless } = consignment
    const { id: _document, ...header } = note.exchangedDocument
    const entry = await read({ ...note, exchangedDocument: header, specifiedConsignment: [nameless] })
    expect(problemsOf(entry)).toEqual(['intake/element-missing /specifiedConsignment/0/carrierAssignedId'])
    expect(problemsOf(await read({ ...note, specifiedConsignment: [consignment, consignment] }))).toEqual([
      'intake/element-repeated /specifiedConsignment/1',
    ])
    expect(problemsOf(await read({ ...note, specifiedConsignment: [] }))).toEqual([
      'intake/element-missing /specifiedConsignment',
    ])
  })

  test('refuses masses in units it cannot convert, with their place', async () => {
    const changed = structuredClone(note)
    changed.specifiedConsignment[0].utilizedLogisticsTransportEquipment[0].tareWeight.unitCode = 'LTN'
    expect(problemsOf(await read(changed))).toEqual([
      'intake/unit-not-taken /specifiedConsignment/0/utilizedLogisticsTransportEquipment/0/tareWeight',
    ])
  })
})

describe('a UN/CEFACT rail wagon list', () => {
  test('tells the leg and lists each unit once, with its notes', async () => {
    expect(await takenOf(list)).toEqual({
      record: 'railway-list',
      content: {
        leg: {
          transferListNumber: '4471',
          transferListDate: '2026-11-21',
          from: { name: { text: 'Алтынколь', language: 'ru' }, country: 'KZ' },
          to: { name: { text: '霍尔果斯', language: 'zh' }, country: 'CN' },
        },
        wagons: [
          { number: '94205776', idTypeCode: '1520-8', notes: [{ number: '30212345', date: '2026-11-20' }] },
          { number: '52968011', idTypeCode: '1520-8', netMass: '69000', notes: [{ number: '30212346' }] },
        ],
        containers: [
          {
            id: 'DSTU4100014',
            onWagon: '94205776',
            seals: [{ id: 'KZT0012345' }],
            notes: [{ number: '30212345', date: '2026-11-20' }],
          },
          {
            id: 'DSTU4100020',
            onWagon: '94205776',
            seals: [{ id: 'KZT0012346' }],
            notes: [{ number: '30212345', date: '2026-11-20' }],
          },
        ],
      },
    })
  })

  test('joins the notes of a box that several consignments share', async () => {
    const changed = structuredClone(list)
    changed.specifiedConsignment[1].utilizedLogisticsTransportEquipment = [{ id: { content: 'DSTU4100014' } }]
    const record = await takenOf(changed)
    expect(
      record.record === 'railway-list' && record.content.containers[0]?.notes?.map(({ number }) => number),
    ).toEqual(['30212345', '30212346'])
  })

  test('is none the less a list when it holds members that neither schema knows', async () => {
    expect(await takenOf({ ...list, extension: { any: 1 } })).toEqual(await takenOf(list))
  })

  test('takes a station for one whether a consignment gives its code or only its name', async () => {
    const changed = structuredClone(list)
    changed.specifiedConsignment[1].deliveryEvent.occurrenceLogisticsLocation.id = [{ content: 'CNHRS' }]
    expect(await takenOf(changed)).toMatchObject({
      content: { leg: { to: { unLocode: 'CNHRS', name: { text: '霍尔果斯' } } } },
    })
    changed.specifiedConsignment[0].deliveryEvent.occurrenceLogisticsLocation.id = [{ content: 'CNAKL' }]
    expect(problemsOf(await read(changed))).toEqual(['intake/leg-not-determined /specifiedConsignment/0'])
  })

  test('is refused when its stations differ or are missing, because it tells no leg', async () => {
    const differing = structuredClone(list)
    differing.specifiedConsignment[1].deliveryEvent.occurrenceLogisticsLocation.name[0].content = 'Elsewhere'
    expect(problemsOf(await read(differing))).toEqual(['intake/leg-not-determined /specifiedConsignment/0'])
    const missing = structuredClone(list)
    for (const each of missing.specifiedConsignment) delete each.carrierAcceptanceLogisticsLocation
    expect(problemsOf(await read(missing))).toEqual(['intake/leg-not-determined /specifiedConsignment/0'])
  })
})

test('messages of other families are named, not taken', async () => {
  const event = { eventType: 'IOT', eventCreatedDateTime: '2026-11-20T00:00:00Z' }
  expect((await read(event))?.result).toMatchObject({
    refusal: { problems: [{ code: 'intake/message-not-taken', facts: { type: 'DCSA IOT' } }] },
  })
  const taf =
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><m:TrainCompositionMessage xmlns:m="http://www.era.europa.eu/schemes/TAFTSI/3.5"/></e:Body></e:Envelope>'
  const [entry] = await readAll(taf)
  expect(entry?.result).toMatchObject({ refusal: { problems: [{ facts: { type: 'TAF TrainCompositionMessage' } }] } })
})
