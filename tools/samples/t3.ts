import type { Discrepancy, HomeDeclaration, Leg } from '../../src/clearance/model.ts'
import { formOf, headerOf, lodgedOn, type Route } from './declarations.ts'
import { firms } from './firms.ts'
import { cnDeclarationId, eaeuDeclarationId, transposed } from './identifiers.ts'
import { offices, ru, stations, zh } from './places.ts'
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
  railwayList,
  reloading,
  sameUnits,
  type WagonCargo,
  WagonYard,
} from './units.ts'

const HAND_OVER = {
  trainNumber: 'X8097',
  transferListNumber: '0001852',
  transferListDate: '2026-11-18',
  gauge: '1435',
  from: stations.khorgos,
  to: stations.altynkol,
  plannedDepartureAt: '2026-11-18T15:00:00Z',
} as const satisfies Leg
const DEPARTED = { ...HAND_OVER, departedAt: '2026-11-18T15:10:00Z' } as const
const ARRIVED = { ...DEPARTED, arrivedAt: '2026-11-18T15:36:00Z' } as const
const ONWARD = {
  trainIndex: '7077-209-7041',
  transferListNumber: '88127',
  transferListDate: '2026-11-19',
  gauge: '1520',
  from: stations.altynkol,
  to: stations.saryagash,
  departedAt: '2026-11-19T01:20:00Z',
} as const satisfies Leg
/** What reached Uzbekistan three days later. */
const LEAVING = {
  trainIndex: '7041-031-7201',
  transferListNumber: '22410',
  transferListDate: '2026-11-21',
  gauge: '1520',
  from: stations.saryagash,
  to: stations.keles,
  departedAt: '2026-11-21T11:40:00Z',
} as const satisfies Leg

/** T3, Yiwu to Uzbekistan and Kyrgyzstan by Khorgos and Altynkol, with two excavators on wagons and T1's late box. */
export function trainT3(rolled: Box): Train {
  const train = new Train('T3')
  const random = new Random(3)
  const yard = new WagonYard(random)
  const forty = (count: number, goodsKg: number, spread: number) =>
    newBoxes(random, 'QJZU', '40', count, split(random, goodsKg * count, count, spread))
  let noteNumber = 51_770_300
  const noteFor = (units: readonly Pick<Box, 'notes'>[]) => {
    noteNumber += random.integer(1, 9)
    const note = { number: String(noteNumber), typeCode: '720', departureStation: stations.yiwu, date: '2026-11-10' }
    for (const unit of units) unit.notes.push(note)
    return [note]
  }
  let serial = 8_812_300
  const form = formOf({
    classificationType: 'CN',
    officeId: offices.yiwu,
    exitOfficeId: offices.khorgos,
    entryOfficeId: offices.korgas,
    procedureCode: '0110',
    from: stations.yiwu,
    border: [stations.khorgos, stations.altynkol],
    exportCountry: 'CN',
    carrier: firms.railCn,
  })
  const numbered = (office: string = offices.yiwu) => {
    serial += random.integer(1, 40)
    return { id: cnDeclarationId(office, serial), ...lodgedOn(random, '11', 9, 14) }
  }
  const uzbekistan = { routing: ['CN', 'KZ', 'UZ'], destinationCountry: 'UZ', to: stations.tashkent }
  const kyrgyzstan = { routing: ['CN', 'KZ', 'KG'], destinationCountry: 'KG', to: stations.bishkek }

  const structures = forty(6, 26_000, 120)
  const coils = forty(6, 26_000, 80)
  const cables = forty(8, 21_400, 150)
  const televisions = forty(8, 9300, 90)
  const shoes = forty(6, 10_800, 110)
  const plastics = forty(6, 9900, 100)
  const machines = forty(4, 15_200, 200)
  const excavators: WagonCargo[] = [22_600, 23_100].map((goodsKg) => ({
    kind: 'platform',
    goodsKg,
    seals: [],
    notes: [],
  }))
  const boxes = [...structures, ...coils, ...cables, ...televisions, ...shoes, ...plastics, ...machines]
  for (const box of boxes) box.seals.push(boltSeal(random, 'YWZ'))

  const declarations: Entry[] = []
  const add = (declaration: HomeDeclaration) => {
    declarations.push(declarationEntry(declaration, 'eligible'))
    return declaration
  }
  const line = (code: string, description: string, value: string, unitCode: string, amountUsd: string) => ({
    code,
    description: zh(description),
    quantity: { value, unitCode },
    amountUsd,
    origin: 'CN',
  })
  const plain = (
    load: readonly Box[],
    packages: number,
    route: Route,
    consignor: (typeof firms)['steel'],
    consignee: Parameters<typeof form>[0]['consignee'],
    goods: ReturnType<typeof line>,
  ) =>
    form({
      ...numbered(),
      ...headerOf(load, packages, 0.95),
      ...route,
      notes: noteFor(load),
      consignor,
      consignee,
      amountUsd: goods.amountUsd,
      goods: [{ ...goods, boxes: load }],
    })
  add(
    plain(
      structures,
      96,
      uzbekistan,
      firms.steel,
      firms.steelUz,
      line('7308900000', '钢结构件', '148200', 'KGM', '204000'),
    ),
  )
  add(
    plain(coils, 30, uzbekistan, firms.steel, firms.steelUz, line('7210490000', '镀锌钢卷', '151600', 'KGM', '132600')),
  )
  add(
    plain(
      cables,
      320,
      uzbekistan,
      firms.cables,
      firms.tradeUz,
      line('8544422900', '带接头电缆', '162600', 'KGM', '1010000'),
    ),
  )
  add(
    plain(
      televisions.slice(0, 5),
      3900,
      uzbekistan,
      firms.televisions,
      firms.tradeUz,
      line('8528722100', '液晶电视机', '3900', 'NAR', '507000'),
    ),
  )
  const saysKz = add(
    plain(
      televisions.slice(5),
      2340,
      { routing: ['CN', 'KZ'], destinationCountry: 'KZ', to: stations.bishkek },
      firms.televisions,
      firms.tradeKg,
      line('8528722100', '液晶电视机', '2340', 'NAR', '304000'),
    ),
  )
  add(
    plain(
      shoes,
      4080,
      kyrgyzstan,
      firms.footwear,
      firms.tradeKg,
      line('6402992900', '塑料鞋面休闲鞋', '48960', 'NPR', '293000'),
    ),
  )
  add(
    plain(
      plastics.slice(0, 3),
      2700,
      kyrgyzstan,
      firms.plastics,
      firms.tradeKg,
      line('3926909090', '塑料日用品', '27100', 'KGM', '64000'),
    ),
  )
  const slipped = plain(
    plastics.slice(3),
    2650,
    kyrgyzstan,
    firms.plastics,
    firms.tradeKg,
    line('3926909090', '塑料日用品', '26800', 'KGM', '61500'),
  )
  const rightId = plastics[4]!.id
  const wrongId = transposed(rightId)
  slipped.equipment[1]!.id = wrongId
  slipped.items[0]!.equipmentIds![1] = wrongId
  add(slipped)
  const korean = add(
    form({
      ...numbered(offices.lianyungang),
      kind: 'TR',
      classificationType: 'HS',
      officeId: offices.lianyungang,
      procedureCode: '4500',
      ...headerOf(machines, 28, 0.93),
      ...uzbekistan,
      routing: ['KR', 'CN', 'KZ', 'UZ'],
      exportCountry: 'KR',
      notes: noteFor(machines),
      consignor: firms.machinesKr,
      consignee: firms.tradeUz,
      declarant: firms.transitCn,
      amountUsd: '940000',
      transitLimitDate: '2026-12-05',
      guarantees: ['CN-GT-2026-00417'],
      goods: [
        {
          code: '847989',
          description: { text: '자동 조립 장비', language: 'ko' },
          quantity: { value: '28', unitCode: 'NAR' },
          amountUsd: '940000',
          origin: 'KR',
          boxes: machines,
        },
      ],
    }),
  )
  const consist = formTrain(yard, '1435', [...boxes, rolled], excavators)
  const excavatorWagons = consist.wagons.slice(-2)
  const wagonNumbers = excavatorWagons.map((wagon) => wagon.number)
  const onWagons = add(
    form({
      ...numbered(),
      ...uzbekistan,
      packages: 2,
      grossMass: '45700',
      netMass: '45700',
      notes: noteFor(excavators),
      consignor: firms.excavators,
      consignee: firms.steelUz,
      amountUsd: '172000',
      wagons: wagonNumbers.map((number) => ({ number, idTypeCode: 'CN-7' })),
      goods: [{ ...line('8429521200', '履带式挖掘机', '2', 'NAR', '172000'), wagonNumbers }],
    }),
  )
  for (const wagon of excavatorWagons) wagon.notes = excavators[0]!.notes

  const withdrawn = form({
    ...numbered(),
    ...kyrgyzstan,
    packages: 880,
    grossMass: '9600',
    netMass: '9100',
    notes: noteFor([]),
    consignor: firms.plastics,
    consignee: firms.tradeKg,
    amountUsd: '20500',
    goods: [line('3926909090', '塑料日用品', '9100', 'KGM', '20500')],
  })
  add(withdrawn)

  const file = 'cn-declarations.ndjson'
  train.plant('export-says-kz', file, {
    fact: 'The export declaration of three boxes names Kazakhstan; station, consignee and the transit that follows are Kyrgyz.',
    position: positionOf(declarations, saysKz.declaration.id),
    pointer: '/consignment/destinationStation/country',
    subject: saysKz.declaration.id,
    effect: 'warning',
    code: 'clearance/destination-contradicts-station',
    must: 'Sent with a warning. At the post the boxes stand under third country, not under import.',
  })
  train.plant('transposed-digits', file, {
    fact: 'Two digits of a container number are changed over in the declaration; the railway lists the right number.',
    position: positionOf(declarations, slipped.declaration.id),
    pointer: '/equipment/1/id',
    subject: wrongId,
    effect: 'warning',
    code: 'clearance/container-check-digit',
    must: `Sent with a warning. On the leg ${rightId} counts as listed without data; the near number may be offered, never matched silently.`,
  })
  train.plant('wagon-cargo', file, {
    fact: 'Two excavators stand on flat wagons without a container.',
    position: positionOf(declarations, onWagons.declaration.id),
    subject: wagonNumbers[0]!,
    effect: 'quiet',
    must: 'Goods attach to the wagons; both count as units with data on the hand-over leg.',
  })
  train.plant('transit-through-china', file, {
    fact: 'Korean machines released for transit through China travel on to Uzbekistan.',
    position: positionOf(declarations, korean.declaration.id),
    effect: 'see',
    must: 'Sent as a transit clearance beside the export clearances of the same train.',
  })
  train.plant('cancelled', 'cn-cancellation.json', {
    fact: 'A declaration that was sent is withdrawn before any box was loaded.',
    position: 1,
    subject: withdrawn.declaration.id,
    effect: 'see',
    must: 'A cancellation follows it; the partner shows the clearance as cancelled and on no leg.',
  })

  const onward = formTrain(
    yard,
    '1520',
    [...boxes, rolled],
    excavators.map((load) => ({ ...load })),
  )
  const unclosed = cables[5]!
  const toUzbekistan = new Set(
    [...structures, ...coils, ...cables, ...televisions.slice(0, 5), ...machines].map((box) => box.id),
  )
  const left = sameUnits(onward, (box) => (toUzbekistan.has(box.id) && box.id !== unclosed.id ? box : undefined))
  const kzForm = formOf({
    kind: 'TR',
    classificationType: 'HS',
    officeId: offices.korgas,
    procedureCode: '80',
    acceptedAt: '2026-11-18T19:10:00Z',
    releasedAt: '2026-11-18T19:38:00Z',
    from: stations.altynkol,
    exportCountry: 'CN',
    declarant: firms.railKz,
    carrier: firms.railKz,
    transitLimitDate: '2026-11-21',
  })
  const kzTransit = (
    [
      [[...structures, ...coils], '730890', 'Металлоконструкции и прокат', 'UZ', stations.saryagash],
      [cables, '854442', 'Кабель с разъёмами', 'UZ', stations.saryagash],
      [televisions.slice(0, 5), '852872', 'Телевизоры', 'UZ', stations.saryagash],
      [televisions.slice(5), '852872', 'Телевизоры', 'KG', stations.lugovaya],
      [shoes, '640299', 'Обувь', 'KG', stations.lugovaya],
    ] as const
  ).map(([load, code, description, destinationCountry, border], index) => {
    const gross = kg(goodsKgOf(load))
    return declarationEntry(
      kzForm({
        id: eaeuDeclarationId(offices.korgas, '2026-11-18', 4711 + index * 3),
        exitOfficeId: destinationCountry === 'UZ' ? '55105' : '55109',
        boxes: load,
        notes: load[0]!.notes,
        border: [border],
        routing: ['KZ', destinationCountry],
        destinationCountry,
        grossMass: gross,
        goods: [{ code, description: ru(description), grossMass: gross, boxes: load }],
      }),
      'not-concerned',
      'clearance/no-nexus',
    )
  })
  train.plant('transit-not-closed', 'kz-list-leaving.json', {
    fact: 'One box of eight under one Kazakh transit declaration (limit 21 November) is on the list into Kazakhstan and not on the list out of it.',
    position: 1,
    subject: unclosed.id,
    effect: 'see',
    must: "A matter of Kazakhstan's own transit control: the box is on one leg and missing on the next. Nothing of it goes to China.",
  })

  const defect: Discrepancy = {
    unit: { kind: 'container', id: rightId },
    leg: HAND_OVER,
    fact: 'data-defect',
    expected: wrongId,
    found: rightId,
    pointer: '/equipment/1/id',
    observedAt: '2026-11-18T16:20:00Z',
  }

  const node = 'CN-GACC'
  train.ndjson(node, file, declarations, { numbers: true })
  train.one(node, 'cn-cancellation.json', {
    record: {
      record: 'cancellation',
      content: {
        declaration: { id: withdrawn.declaration.id, kind: 'EX', versionId: 2 },
        customsDecision: { statusCode: 'withdrawn', effectiveDateTime: '2026-11-16T03:20:00Z' },
      },
    },
  })
  train.list(node, 'cn-list.json', railwayList(HAND_OVER, consist))
  train.departure(node, 'cn-departure.json', departure(DEPARTED, consist))
  train.list('KZ-KGD', 'kz-list.json', railwayList(HAND_OVER, consist))
  train.arrival('KZ-KGD', 'kz-arrival.json', arrival(ARRIVED, consist))
  train.one('KZ-KGD', 'kz-discrepancy.json', { record: { record: 'discrepancy', content: defect } })
  train.array('KZ-KGD', 'kz-transit.json', kzTransit)
  train.reloading(
    'KZ-KGD',
    'kz-reloading.json',
    reloading('ALT-20261118-04', stations.altynkol, [ARRIVED], [ONWARD], [consist], [onward], '2026-11-18T23:30:00Z'),
  )
  train.list('KZ-KGD', 'kz-list-1520.json', railwayList(ONWARD, onward))
  train.list('KZ-KGD', 'kz-list-leaving.json', railwayList(LEAVING, left))

  const named = unitsNamed(declarations).add(rolled.id)
  train.count({ node, direction: 'out', leg: HAND_OVER, consist, named })
  train.count({ node: 'KZ-KGD', direction: 'in', leg: HAND_OVER, consist, named })
  return train
}
