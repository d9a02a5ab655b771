import type { Leg } from '../../src/clearance/model.ts'
import { formOf } from './declarations.ts'
import { firms } from './firms.ts'
import { eaeuDeclarationId } from './identifiers.ts'
import { offices, ru, stations } from './places.ts'
import { Random, split } from './random.ts'
import { declarationEntry, type Entry } from './sample-file.ts'
import { idsSent, Train } from './train.ts'
import {
  arrival,
  type Box,
  boltSeal,
  departure,
  formTrain,
  goodsKgOf,
  newBoxes,
  railwayList,
  reloading,
  WagonYard,
} from './units.ts'

function handOver(consistNumber: string, transferListNumber: string, date: string, from: string, to: string) {
  return {
    trainIndex: `6851-${consistNumber}-7077`,
    transferListNumber,
    transferListDate: date,
    gauge: '1520',
    from: stations.altynkol,
    to: stations.khorgos,
    departedAt: `${date}T${from}:00Z`,
    arrivedAt: `${date}T${to}:00Z`,
  } as const satisfies Leg
}
const T4 = handOver('408', '71120', '2026-11-09', '08:05', '08:41')
const T4B = handOver('415', '71164', '2026-11-14', '09:30', '10:02')
const T4C = handOver('421', '71203', '2026-11-18', '12:00', '12:37')
/** The grain waited for its laboratory; its boxes left Khorgos eight days after they came. */
const ONWARD = {
  trainNumber: 'X8402',
  transferListNumber: '0001839',
  transferListDate: '2026-11-17',
  gauge: '1435',
  from: stations.khorgos,
  to: stations.xian,
  plannedDepartureAt: '2026-11-17T11:20:00Z',
} as const satisfies Leg

function planned({ departedAt: _, arrivedAt: __, ...leg }: ReturnType<typeof handOver>): Leg {
  return leg
}
function departed({ arrivedAt: _, ...leg }: ReturnType<typeof handOver>) {
  return leg
}

export interface Balance {
  readonly declarationId: string
  readonly declaredKg: string
  readonly draws: readonly { readonly train: string; readonly drawnKg: string; readonly leftKg: string }[]
}

/**
 * T4, grain from Kostanay by Altynkol: one exporter, one temporary declaration of 5 000 t, three trains that draw on
 * it to the last kilogram. The third train also carries one box of which nothing may be said.
 */
export function trainT4(): { readonly train: Train; readonly balance: Balance } {
  const train = new Train('T4')
  const random = new Random(4)
  const yard = new WagonYard(random)
  let noteNumber = 33_405_100
  const load = (count: number, goodsKg: number, spread: number) => {
    const boxes = newBoxes(random, 'XQZU', '20', count, split(random, goodsKg * count, count, spread))
    for (const box of boxes) {
      noteNumber += random.integer(1, 3)
      box.notes.push({
        number: String(noteNumber),
        typeCode: '720',
        departureStation: stations.kostanay,
        date: '2026-11-04',
      })
      box.seals.push(boltSeal(random, 'KZA'))
    }
    return boxes
  }
  const trainLoad = (oilBoxes: number) => [
    ...load(44, 28_500, 180),
    ...load(12, 24_000, 120),
    ...load(oilBoxes, 22_000, 60),
  ]
  const first = trainLoad(6)
  const second = trainLoad(6)
  const third = trainLoad(5)
  const [secretBox] = load(1, 12_000, 0) as [Box]

  const temporaryId = eaeuDeclarationId(offices.kostanay, '2026-10-20', 1207)
  for (const box of [...first, ...second, ...third]) box.declarationIds = [temporaryId]
  const form = formOf({
    classificationType: 'TNVED',
    officeId: offices.kostanay,
    exitOfficeId: offices.korgas,
    entryOfficeId: offices.khorgos,
    typeCode: 'ЭК',
    procedureCode: '1000',
    from: stations.kostanay,
    to: stations.xian,
    border: [stations.altynkol, stations.khorgos],
    routing: ['KZ', 'CN'],
    exportCountry: 'KZ',
    destinationCountry: 'CN',
  })
  const bulk = (code: string, description: string, tonnes: number, usdPerTonne: number, packageType: string) => ({
    code,
    description: ru(description),
    grossMass: String(tonnes * 1000),
    netMass: String(tonnes * 1000),
    amountUsd: String(tonnes * usdPerTonne),
    packages: { typeCode: packageType },
    origin: 'KZ',
  })
  const goods = [
    bulk('1001990000', 'Пшеница мягкая 3 класса, урожай 2026 года, навалом в контейнере-лайнере', 3762, 215, 'VR'),
    bulk('1204009000', 'Семена льна масличного, навалом в контейнере-лайнере', 864, 480, 'VR'),
    bulk('1512199009', 'Масло подсолнечное рафинированное, наливом во флекситанке', 374, 1050, 'VL'),
  ]
  const declaredKg = goods.reduce((sum, line) => sum + Number(line.netMass), 0)
  const temporary = form({
    id: temporaryId,
    acceptedAt: '2026-10-20T05:12:00Z',
    releasedAt: '2026-10-22T09:40:00Z',
    cleared: 'cleared-after-check',
    controls: ['4'],
    temporary: { validUntil: '2026-12-31', netMass: String(declaredKg) },
    packages: 1,
    grossMass: String(declaredKg),
    netMass: String(declaredKg),
    amountUsd: String(goods.reduce((sum, line) => sum + Number(line.amountUsd), 0)),
    terms: { code: 'DAP', place: 'Altynkol' },
    consignor: firms.grain,
    consignee: firms.grainCn,
    exporter: firms.grain,
    goods,
    documents: [
      { typeCode: '315', id: 'TA-CN/26-118', date: '2026-09-14' },
      { typeCode: '851', id: '0048812', date: '2026-10-19' },
    ],
  })
  const secret = form({
    id: eaeuDeclarationId(offices.kostanay, '2026-11-12', 1388),
    acceptedAt: '2026-11-12T05:00:00Z',
    releasedAt: '2026-11-13T10:15:00Z',
    packages: 9,
    grossMass: '12000',
    netMass: '10800',
    boxes: [secretBox],
    notes: secretBox.notes,
    consignor: firms.defence,
    consignee: firms.pumpsCn,
    goods: [
      {
        code: '8526100009',
        description: ru('Аппаратура радиолокационная'),
        grossMass: '12000',
        netMass: '10800',
        origin: 'KZ',
        boxes: [secretBox],
      },
    ],
    exclusion: { stateSecret: true },
  })
  secretBox.declarationIds = [secret.declaration.id]
  const temporaryEntry = declarationEntry(temporary, 'eligible')
  const secretEntry = declarationEntry(secret, 'withheld', 'clearance/state-secret')

  const consist = formTrain(yard, '1520', first)
  const consistB = formTrain(yard, '1520', second)
  const consistC = formTrain(yard, '1520', [...third, secretBox])
  const onward = formTrain(yard, '1435', first)

  train.plant('packages-one', 'kz-temporary-declaration.json', {
    fact: 'Bulk grain is declared as one package; 62 containers carry it.',
    position: 1,
    pointer: '/declaration/totalPackageQuantity',
    effect: 'quiet',
    must: 'One package for bulk is no error and no mismatch with the number of containers.',
  })
  train.plant('temporary-declaration', 'kz-temporary-declaration.json', {
    fact: 'A temporary declaration of 5 000 t with approximate mass and provisional value, without containers, train or wagons.',
    position: 1,
    subject: temporaryId,
    effect: 'warning',
    code: 'clearance/temporary-declaration',
    must: 'Sent once. The boxes of all three trains have data, because the railway names the declaration on its lists.',
  })
  train.plant('balance-three-trains', 'kz-departure-t4c.json', {
    fact: 'Three trains draw 1 674, 1 674 and 1 652 t.',
    position: 1,
    subject: temporaryId,
    effect: 'see',
    must: 'The balance goes 5 000 → 3 326 → 1 652 → 0 t; a repeated departure draws nothing more.',
  })
  train.plant('laboratory-hold', 'cn-reloading.json', {
    fact: 'The first train arrived at Khorgos on 9 November and was reloaded on 17 November, after the laboratory.',
    position: 1,
    effect: 'quiet',
    must: 'Nothing expires and nobody is woken in those eight days; the leg closes after them.',
  })
  train.plant('state-secret', 'kz-withheld.json', {
    fact: 'One box of the third train is a state secret; the railway list and the departure name its declaration.',
    position: 1,
    subject: secretBox.id,
    effect: 'never',
    must: 'Withheld. The box is listed as a means of transport, without data and without the declaration number.',
  })

  const node = 'KZ-KGD'
  train.one(node, 'kz-temporary-declaration.json', temporaryEntry)
  train.one(node, 'kz-withheld.json', secretEntry)
  train.list(node, 'kz-list.json', railwayList(planned(T4), consist), { numbers: true })
  train.list(node, 'kz-list-t4b.json', railwayList(planned(T4B), consistB))
  train.listCsv(node, 'kz-list-t4c.csv', railwayList(planned(T4C), consistC), ',')
  train.departure(node, 'kz-departure.json', departure(departed(T4), consist))
  train.departure(node, 'kz-departure-t4b.json', departure(departed(T4B), consistB), { numbers: true })
  train.departure(node, 'kz-departure-t4c.json', departure(departed(T4C), consistC))
  train.list('CN-GACC', 'cn-list.json', railwayList(planned(T4), consist))
  train.list('CN-GACC', 'cn-list-t4b.json', railwayList(planned(T4B), consistB))
  train.list('CN-GACC', 'cn-list-t4c.json', railwayList(planned(T4C), consistC))
  train.arrival('CN-GACC', 'cn-arrival.json', arrival(T4, consist))
  train.arrival('CN-GACC', 'cn-arrival-t4b.json', arrival(T4B, consistB))
  train.reloading(
    'CN-GACC',
    'cn-reloading.json',
    reloading('HRS-20261117-02', stations.khorgos, [T4], [ONWARD], [consist], [onward], '2026-11-17T09:40:00Z'),
  )
  train.list('CN-GACC', 'cn-list-1435.json', railwayList(ONWARD, onward))

  const entries: Entry[] = [temporaryEntry, secretEntry]
  const ids = idsSent(entries)
  const named = new Set<string>()
  for (const [leg, units] of [
    [T4, consist],
    [T4B, consistB],
    [T4C, consistC],
  ] as const) {
    train.count({ node, direction: 'out', leg, consist: units, named, ids })
    train.count({ node: 'CN-GACC', direction: 'in', leg, consist: units, named, ids })
  }
  let left = declaredKg
  const draws = (
    [
      ['T4', first],
      ['T4B', second],
      ['T4C', third],
    ] as const
  ).map(([name, boxes]) => {
    const drawn = goodsKgOf(boxes)
    left -= drawn
    return { train: name, drawnKg: String(drawn), leftKg: String(left) }
  })
  return { train, balance: { declarationId: temporaryId, declaredKg: String(declaredKg), draws } }
}
