import type { Discrepancy, Leg } from '../../src/clearance/model.ts'
import { formOf } from './declarations.ts'
import { firms } from './firms.ts'
import { smgsNote } from './formats-uncefact.ts'
import { nctsReleaseJson, nctsReleaseXml, type TransitRelease } from './formats-xml.ts'
import { eaeuDeclarationId, mrn } from './identifiers.ts'
import { en, offices, ru, stations } from './places.ts'
import { Random, split } from './random.ts'
import { declarationEntry, type Entry } from './sample-file.ts'
import { positionOf, Train, unitsNamed } from './train.ts'
import {
  arrival,
  type Box,
  boltSeal,
  departure,
  formTrain,
  goodsKgOf,
  kg,
  newBoxes,
  oneDecimal,
  railwayList,
  WagonYard,
} from './units.ts'

const HAND_OVER = {
  trainIndex: '6665-506-7085',
  transferListNumber: '41841',
  transferListDate: '2026-11-18',
  gauge: '1520',
  from: stations.dostyk,
  to: stations.alashankou,
  plannedDepartureAt: '2026-11-18T21:10:00Z',
} as const satisfies Leg
const DEPARTED = { ...HAND_OVER, departedAt: '2026-11-18T21:30:00Z' } as const
const ARRIVED = { ...DEPARTED, arrivedAt: '2026-11-18T22:11:00Z' } as const

/** What the product makes of an IE029, as far as the expectations need it. */
function releaseEntry(release: TransitRelease): Entry {
  return declarationEntry(
    {
      declaration: { id: release.mrn, kind: 'TR', versionId: 1 },
      consignment: { exportCountry: release.dispatch, destinationCountry: release.destination },
      parties: {},
      equipment: release.boxes.map(({ id }) => ({ id })),
      wagons: [],
      items: [],
      customsDecision: { statusCode: 'cleared' },
    },
    'eligible',
  )
}

/** T6, from Europe and Russia to China by Dostyk: half of it empties, some goods cleared in another union state. */
export function trainT6(returning: Box): { readonly train: Train; readonly release: TransitRelease } {
  const train = new Train('T6')
  const random = new Random(6)
  const yard = new WagonYard(random)
  const forty = (count: number, goodsKg: number, spread: number) =>
    newBoxes(random, 'JQXU', '40', count, split(random, goodsKg * count, count, spread))
  let noteNumber = 61_240_700
  const noteFor = (boxes: readonly Box[], station: (typeof stations)['siberia' | 'malaszewicze']) => {
    noteNumber += random.integer(1, 9)
    const note = { number: String(noteNumber), typeCode: '720', departureStation: station, date: '2026-11-07' }
    for (const box of boxes) box.notes.push(note)
    return [note]
  }
  const empties = newBoxes(random, 'JQXU', '40', 26, [0])
  const timber = forty(9, 24_000, 180)
  const pulp = forty(7, 25_000, 90)
  const whisky = forty(5, 17_600, 140)
  const pharma = forty(4, 9800, 60)
  const pumps = forty(3, 13_900, 100)
  pumps[1]!.id = returning.id
  const leased = pulp[2]!
  leased.id = 'RZD-LS 40117'
  for (const box of [...timber, ...pulp, ...whisky, ...pharma, ...pumps]) box.seals.push(boltSeal(random, 'EUZ'))

  const timberForm = formOf({
    classificationType: 'TNVED',
    typeCode: 'ЭК',
    officeId: offices.irkutsk,
    exitOfficeId: offices.dostyk,
    entryOfficeId: offices.alashankou,
    procedureCode: '1000',
    from: stations.siberia,
    to: stations.urumqi,
    border: [stations.dostyk, stations.alashankou],
    routing: ['RU', 'KZ', 'CN'],
    exportCountry: 'RU',
    destinationCountry: 'CN',
    acceptedAt: '2026-11-05T03:10:00Z',
    releasedAt: '2026-11-06T08:30:00Z',
    consignor: firms.timber,
    consignee: firms.timberCn,
  })
  const timberEntries = [timber.slice(0, 5), timber.slice(5)].map((boxes, index) => {
    const gross = kg(goodsKgOf(boxes))
    return declarationEntry(
      timberForm({
        id: eaeuDeclarationId(offices.irkutsk, '2026-11-05', 3045611 + index * 7),
        boxes,
        notes: noteFor(boxes, stations.siberia),
        packages: boxes.length * 14,
        grossMass: gross,
        netMass: gross,
        goods: [
          {
            code: '4407111609',
            description: ru('Пиломатериалы из сосны обыкновенной, обрезные'),
            grossMass: gross,
            netMass: gross,
            packages: { typeCode: 'BE', quantity: boxes.length * 14 },
            origin: 'RU',
            boxes,
          },
        ],
      }),
      'held',
      'clearance/union-export-pending',
    )
  })
  const transitForm = formOf({
    kind: 'TR',
    classificationType: 'HS',
    typeCode: 'ТТ',
    officeId: offices.dostyk,
    exitOfficeId: offices.dostyk,
    entryOfficeId: offices.alashankou,
    procedureCode: '80',
    acceptedAt: '2026-11-12T07:00:00Z',
    releasedAt: '2026-11-12T07:34:00Z',
    transitLimitDate: '2026-11-25',
    from: stations.malaszewicze,
    to: stations.urumqi,
    border: [stations.dostyk, stations.alashankou],
    routing: ['SE', 'PL', 'BY', 'RU', 'KZ', 'CN'],
    exportCountry: 'SE',
    destinationCountry: 'CN',
    declarant: firms.railKz,
    carrier: firms.railKz,
    consignor: firms.pulpSe,
  })
  const pulpTransit = (
    boxes: readonly Box[],
    serial: number,
    consignee: Parameters<typeof transitForm>[0]['consignee'],
  ) => {
    const gross = kg(goodsKgOf(boxes))
    return transitForm({
      id: eaeuDeclarationId(offices.dostyk, '2026-11-12', serial),
      boxes,
      notes: noteFor(boxes, stations.malaszewicze),
      packages: boxes.length * 100,
      grossMass: gross,
      consignee,
      guarantees: ['KZ-TG-2026-0091'],
      goods: [
        {
          code: '470321',
          description: { text: 'Blekt sulfatmassa av barrved, i balar', language: 'sv' },
          grossMass: gross,
          packages: { typeCode: 'BL', quantity: boxes.length * 100 },
          origin: 'SE',
          boxes,
        },
      ],
    })
  }
  const toOrder = pulpTransit(pulp.slice(0, 2), 1901, { name: en('TO ORDER'), kind: 'to-order' })
  const withLeased = pulpTransit(pulp.slice(2), 1904, firms.paperCn)
  const transit = [toOrder, withLeased].map((declaration) => declarationEntry(declaration, 'eligible'))

  const european = (spec: {
    readonly mrn: string
    readonly lrn: string
    readonly dispatch: string
    readonly departureOffice: string
    readonly consignor: TransitRelease['consignor']
    readonly consignee: TransitRelease['consignee']
    readonly boxes: readonly Box[]
    readonly lines: readonly (readonly [hs6: string, text: string, share: number, packages: number])[]
  }): TransitRelease => {
    const { lines, ...rest } = spec
    const total = goodsKgOf(spec.boxes)
    let left = total
    const goods = lines.map(([hs6, text, share, packages], index) => {
      const gross = index === lines.length - 1 ? left : Math.round(total * share)
      left -= gross
      return {
        hs6,
        description: en(text),
        grossMass: `${gross}.000000`,
        netMass: `${oneDecimal(gross * 0.9)}`,
        packageType: 'CT',
        packages,
        boxes: spec.boxes,
      }
    })
    return {
      ...rest,
      acceptedOn: '2026-11-06',
      releasedOn: '2026-11-07',
      transitOffices: ['KZ055300'],
      destinationOffice: 'CN009404',
      exitOffice: 'PL301010',
      destination: 'CN',
      routing: ['DE', 'PL', 'BY', 'RU', 'KZ', 'CN'],
      holder: firms.forwarderPl,
      trainNumber: '40506',
      noteNumber: noteFor(spec.boxes, stations.malaszewicze)[0]!.number,
      unloading: { unLocode: 'CNAKL', country: 'CN', location: 'Alashankou' },
      grn: '26PL3010100000017',
      goods,
    }
  }
  const whiskyRelease = european({
    mrn: mrn('26DE330200A1B2C3M'),
    lrn: 'DOS26-0501',
    dispatch: 'DE',
    departureOffice: 'DE003302',
    consignor: firms.whisky,
    consignee: firms.winesCn,
    boxes: whisky,
    lines: [
      ['220830', 'Blended Scotch whisky, bottles of 0.7 l', 0.7, 4800],
      ['220830', 'Single malt whisky, bottles of 0.7 l', 0.3, 1900],
    ],
  })
  const pharmaRelease = european({
    mrn: mrn('26DE580100K7L8N9M'),
    lrn: 'DOS26-0502',
    dispatch: 'DE',
    departureOffice: 'DE005801',
    consignor: firms.pharma,
    consignee: firms.pharmaCn,
    boxes: pharma,
    lines: [['300490', 'Medicaments put up for retail sale', 1, 3100]],
  })
  const pumpsRelease = european({
    mrn: mrn('26DE740300R4S5T6M'),
    lrn: 'DOS26-0503',
    dispatch: 'DE',
    departureOffice: 'DE007403',
    consignor: firms.pumps,
    consignee: firms.pumpsCn,
    boxes: pumps,
    lines: [['841391', 'Parts of centrifugal pumps', 1, 260]],
  })
  const releases = [whiskyRelease, pharmaRelease, pumpsRelease].map(releaseEntry)

  for (const box of empties) noteFor([box], stations.malaszewicze)
  const consist = formTrain(yard, '1520', [...timber, ...pulp, ...whisky, ...pharma, ...pumps, ...empties])
  const heavy = consist.containers.find((box) => box.id === empties[11]!.id)!
  heavy.grossMass = kg(Number(heavy.tareMass) + 4000)
  const at = (id: string) => consist.containers.findIndex((box) => box.id === id)

  train.plant('other-union-state', 'kz-exit-of-russian-goods.json', {
    fact: 'Pine timber exported under Russian declarations leaves by Dostyk: only exit data exist in Kazakhstan.',
    position: 1,
    effect: 'never',
    must: 'Pending the decision of the working group: nothing is sent, nothing is an error, the officer sees why.',
  })
  train.plant('empty-too-heavy', 'kz-list.json', {
    fact: 'A box listed as empty weighs 4 t more than its tare.',
    position: 1,
    pointer: `/containers/${at(heavy.id)}/grossMass`,
    subject: heavy.id,
    effect: 'warning',
    code: 'clearance/empty-too-heavy',
    must: 'Shown at once at both posts: a loaded box declared empty is one of the few things to wake someone for.',
  })
  train.plant('box-back-after-16-days', 'kz-release-pumps.ncts.json', {
    fact: 'A box that went west with T2 on 2 November comes back on 18 November.',
    position: 1,
    subject: returning.id,
    effect: 'see',
    must: 'Two trips: note, station and date tell them apart. The clearance of T2 is not shown as data for T6, nor the reverse.',
  })
  train.plant('leased-box-without-iso-number', 'kz-transit.json', {
    fact: 'A leased box has no ISO 6346 number.',
    position: positionOf(transit, withLeased.declaration.id),
    pointer: '/equipment/0/id',
    subject: leased.id,
    effect: 'warning',
    code: 'clearance/container-not-iso-6346',
    must: 'Sent with a warning and matched by the text as it stands: the post is not left blind.',
  })
  train.plant('consignee-to-order', 'kz-transit.json', {
    fact: 'The consignee is "TO ORDER".',
    position: positionOf(transit, toOrder.declaration.id),
    pointer: '/parties/consignee',
    subject: toOrder.declaration.id,
    effect: 'warning',
    code: 'clearance/consignee-to-order',
    must: 'Sent with a warning: the holder of the bill is the consignee.',
  })

  const found: Discrepancy = {
    unit: { kind: 'container', id: heavy.id },
    leg: HAND_OVER,
    fact: 'listed-empty-found-loaded',
    expected: 'empty, 3850 kg',
    found: '7850 kg',
    observedAt: '2026-11-18T23:05:00Z',
  }
  const orderNote = smgsNote({
    number: pulp[0]!.notes[0]!.number,
    date: '2026-11-07',
    from: stations.malaszewicze,
    to: stations.urumqi,
    border: [stations.iletsk, stations.dostyk, stations.alashankou],
    consignor: firms.pulpSe,
    consignee: { name: en('TO ORDER'), kind: 'to-order' },
    carrier: firms.railKz,
    boxes: pulp.slice(0, 2),
    wagonOf: (box) => consist.containers[at(box.id)]!.onWagon!,
    goods: [{ code: '47032100', description: 'Целлюлоза сульфатная белёная', packages: 200, packageType: 'BL' }],
    declarationIds: [toOrder.declaration.id],
  })

  const node = 'KZ-KGD'
  train.array(node, 'kz-exit-of-russian-goods.json', timberEntries)
  train.array(node, 'kz-transit.json', transit)
  train.foreign(node, 'kz-release-whisky.ncts.xml', 'ncts-xml', [releases[0]!], nctsReleaseXml(whiskyRelease))
  train.foreign(node, 'kz-release-pharma.ncts.xml', 'ncts-xml', [releases[1]!], nctsReleaseXml(pharmaRelease))
  train.foreign(node, 'kz-release-pumps.ncts.json', 'ncts-json', [releases[2]!], nctsReleaseJson(pumpsRelease))
  train.foreign(node, 'kz-note-to-order.json', 'unece-consignment-note', [orderNote.entry], orderNote.text)
  train.list(node, 'kz-list.json', railwayList(HAND_OVER, consist))
  train.departure(node, 'kz-departure.json', departure(DEPARTED, consist))
  train.list('CN-GACC', 'cn-list.json', railwayList(HAND_OVER, consist), { numbers: true })
  train.arrival(
    'CN-GACC',
    'cn-arrival.json',
    arrival(ARRIVED, consist, (unit) => (unit.id === heavy.id ? { ...unit, massAtReloading: '7850' } : unit)),
  )
  train.one('CN-GACC', 'cn-discrepancy.json', { record: { record: 'discrepancy', content: found } })

  const named = unitsNamed([...timberEntries, ...transit, ...releases])
  train.count({ node, direction: 'out', leg: HAND_OVER, consist, named })
  train.count({ node: 'CN-GACC', direction: 'in', leg: HAND_OVER, consist, named })
  return { train, release: whiskyRelease }
}
