import type { HomeDeclaration, Leg } from '../../src/clearance/model.ts'
import { formOf, type Goods, headerOf, lodgedOn } from './declarations.ts'
import { firms } from './firms.ts'
import { cnDeclarationId, vin } from './identifiers.ts'
import { offices, stations, zh } from './places.ts'
import { Random, split } from './random.ts'
import { declarationEntry, type Entry } from './sample-file.ts'
import { positionOf, Train, unitsNamed } from './train.ts'
import {
  arrival,
  type Box,
  boltSeal,
  departure,
  formTrain,
  kg,
  newBoxes,
  oneDecimal,
  railwayList,
  reloading,
  sameUnits,
  WagonYard,
} from './units.ts'

const HAND_OVER = {
  trainNumber: 'X8091',
  transferListNumber: '0001847',
  transferListDate: '2026-11-18',
  gauge: '1435',
  from: stations.khorgos,
  to: stations.altynkol,
  plannedDepartureAt: '2026-11-18T02:30:00Z',
  plannedArrivalAt: '2026-11-18T02:55:00Z',
} as const satisfies Leg
const DEPARTED = { ...HAND_OVER, departedAt: '2026-11-18T02:40:00Z' } as const
const ARRIVED = { ...DEPARTED, arrivedAt: '2026-11-18T03:04:00Z' } as const
const ONWARD = {
  trainIndex: '7077-204-7000',
  transferListNumber: '88120',
  transferListDate: '2026-11-18',
  gauge: '1520',
  from: stations.altynkol,
  to: stations.almaty,
  plannedDepartureAt: '2026-11-18T08:30:00Z',
} as const satisfies Leg

/** Groupage of car parts: eleven headings in each box, spread over its four declarations. */
const PARTS: readonly (readonly [string, string])[] = [
  ['8708995900', '汽车底盘零件'],
  ['8708309990', '制动摩擦片总成'],
  ['8708409990', '变速箱壳体'],
  ['8708507690', '半轴'],
  ['8708801000', '减震器'],
  ['8708709100', '铝合金轮毂'],
  ['8421230000', '机油滤清器'],
  ['8421310000', '进气空气滤清器'],
  ['8512201000', '汽车前照灯'],
  ['8482102000', '深沟球轴承'],
  ['4016931000', '橡胶密封垫'],
]
const MARKET: readonly (readonly [string, string, string])[] = [
  ['6110200090', '棉制针织套头衫', 'NAR'],
  ['6203429090', '男式棉制长裤', 'NAR'],
  ['6110300090', '化纤制针织开襟衫', 'NAR'],
  ['6204620090', '女式棉制长裤', 'NAR'],
  ['6302601000', '棉制毛巾', 'NAR'],
  ['4202920000', '布面旅行包', 'NAR'],
  ['3924100000', '塑料餐具', 'KGM'],
  ['7323930000', '不锈钢厨具', 'KGM'],
]
const MARKET_DECLARATIONS_PER_BOX = [18, 22, 26, 30, 34]

/**
 * T1, Xi'an to Almaty by Khorgos and Altynkol: fifty boxes on the first list, forty-nine handed over. Also gives the
 * box that missed the train, for T3.
 */
export function trainT1(): { readonly train: Train; readonly rolled: Box } {
  const train = new Train('T1')
  const random = new Random(1)
  const yard = new WagonYard(random)
  const forty = (count: number, goodsKg: number, spread = 0) =>
    newBoxes(random, 'QXJU', '40', count, split(random, goodsKg * count, count, spread))
  let noteNumber = 30_611_480
  const noteFor = (boxes: readonly Box[]) => {
    noteNumber += random.integer(1, 9)
    const note = { number: String(noteNumber), typeCode: '720', departureStation: stations.xian, date: '2026-11-13' }
    for (const box of boxes) box.notes.push(note)
    return [note]
  }
  let serial = 1_104_200
  const form = formOf({
    classificationType: 'CN',
    officeId: offices.xian,
    exitOfficeId: offices.khorgos,
    entryOfficeId: offices.korgas,
    procedureCode: '0110',
    from: stations.xian,
    to: stations.almaty,
    border: [stations.khorgos, stations.altynkol],
    routing: ['CN', 'KZ'],
    exportCountry: 'CN',
    destinationCountry: 'KZ',
    carrier: firms.railCn,
  })
  const numbered = () => {
    serial += random.integer(1, 40)
    return { id: cnDeclarationId(offices.xian, serial), ...lodgedOn(random, '11', 9, 15) }
  }

  const general: Entry[] = []
  const add = (declaration: HomeDeclaration, outcome: 'eligible' | 'withheld' = 'eligible', ground?: string) => {
    general.push(declarationEntry(declaration, outcome, ground))
    return declaration
  }

  const carBoxes = forty(12, 7800, 60)
  let carSerial = 204_117
  const vins = (count: number) =>
    Array.from({ length: count }, () => {
      carSerial += random.integer(1, 30)
      return vin('L0ZEA1B2', `TX${carSerial}`)
    })
  const firstVins = vins(32)
  const wrongVin = `${firstVins[17]!.slice(0, -1)}${(Number(firstVins[17]!.at(-1)) + 1) % 10}`
  firstVins[17] = wrongVin
  for (const [boxes, numbers] of [
    [carBoxes.slice(0, 8), firstVins],
    [carBoxes.slice(8), vins(16)],
  ] as const) {
    const amountUsd = String(19_500 * numbers.length)
    add(
      form({
        ...numbered(),
        ...headerOf(boxes, numbers.length, 0.97),
        notes: noteFor(boxes),
        consignor: firms.cars,
        consignee: firms.carsKz,
        amountUsd,
        terms: { code: 'FCA', place: "Xi'an" },
        goods: [
          {
            code: '8703800090',
            description: zh('纯电动乘用车，五座'),
            quantity: { value: String(numbers.length), unitCode: 'NAR' },
            amountUsd,
            origin: 'CN',
            vins: numbers,
            boxes,
          },
        ],
        documents: [{ typeCode: '380', id: `YL-${random.digits(6)}`, date: '2026-11-06' }],
      }),
    )
  }
  train.plant('vin-one-digit-off', 'cn-declarations.ndjson', {
    fact: 'One of 48 vehicle numbers has its last digit wrong, so its check sign no longer stands.',
    position: 1,
    pointer: '/items/0/identifiers/17/id',
    subject: wrongVin,
    effect: 'see',
    must: 'The clearance is sent with the number as declared. Nobody is woken; whoever compares it with the vehicle sees the slip.',
  })

  const climateBoxes = forty(8, 11_700, 80)
  const climate = [climateBoxes.slice(0, 4), climateBoxes.slice(4, 7), climateBoxes.slice(7)].map((boxes) => {
    for (const box of boxes) box.packageQuantity = 520
    return add(
      form({
        ...numbered(),
        ...headerOf(boxes, 520 * boxes.length, 0.91),
        notes: noteFor(boxes),
        consignor: firms.climate,
        consignee: firms.climateKz,
        amountUsd: String(47_000 * boxes.length),
        terms: { code: 'FCA', place: "Xi'an" },
        goods: [
          {
            code: '8415102290',
            description: zh('分体式空调器，制冷量不超过4000大卡/时'),
            quantity: { value: String(260 * boxes.length), unitCode: 'SET' },
            amountUsd: String(47_000 * boxes.length),
            origin: 'CN',
            boxes,
          },
        ],
      }),
    )
  })
  train.plant('520-packages-260-sets', 'cn-declarations.ndjson', {
    fact: 'An air conditioner is one set in two cartons: the declaration counts 520 packages and 260 sets.',
    position: positionOf(general, climate[2]!.declaration.id),
    pointer: '/declaration/totalPackageQuantity',
    effect: 'quiet',
    must: 'Packages and statistical quantity are different measures: no warning and no colour.',
  })

  const furnitureBoxes = forty(6, 9500, 120)
  for (let at = 0; at < 6; at += 2) {
    const boxes = furnitureBoxes.slice(at, at + 2)
    add(
      form({
        ...numbered(),
        ...headerOf(boxes, 840, 0.88),
        notes: noteFor(boxes),
        consignor: firms.furniture,
        consignee: firms.furnitureKz,
        amountUsd: '42000',
        goods: [
          {
            code: '9403609990',
            description: zh('木制家具，餐桌及边柜'),
            quantity: { value: '840', unitCode: 'NAR' },
            amountUsd: '42000',
            origin: 'CN',
            boxes,
          },
        ],
      }),
    )
  }

  const tileBoxes = newBoxes(random, 'QXJU', '20', 7, [27_000])
  const rolled = tileBoxes[6]!
  add(
    form({
      ...numbered(),
      ...headerOf(tileBoxes, 7 * 22, 0.98),
      notes: noteFor(tileBoxes),
      consignor: firms.tiles,
      consignee: firms.tilesKz,
      amountUsd: '63000',
      goods: [
        {
          code: '6907219000',
          description: zh('瓷质铺地砖，吸水率不超过0.5%'),
          quantity: { value: '8820', unitCode: 'MTK' },
          amountUsd: '63000',
          origin: 'CN',
          boxes: tileBoxes,
        },
      ],
    }),
  )
  train.plant('box-rolls-to-t3', 'cn-list-2.json', {
    fact: 'One of seven boxes under one declaration missed T1 (list version 1 has it, version 2 has not) and left with T3.',
    position: 1,
    subject: rolled.id,
    effect: 'see',
    must: 'Version 2 of the list replaces version 1. The box needs no new declaration: on T3 it has the data sent for T1.',
  })

  const solarBoxes = forty(2, 22_500)
  add(
    form({
      ...numbered(),
      ...headerOf(solarBoxes, 40, 0.94),
      notes: noteFor(solarBoxes),
      consignor: firms.solar,
      consignee: firms.solarKz,
      amountUsd: '76000',
      goods: [
        {
          code: '8541430000',
          description: zh('光伏组件，单晶硅'),
          quantity: { value: '1240', unitCode: 'NAR' },
          amountUsd: '76000',
          origin: 'CN',
          boxes: solarBoxes,
        },
      ],
    }),
  )

  const [shoesBox, parcelBox, postBox, removalsBox, secretBox] = forty(5, 8200, 900) as [Box, Box, Box, Box, Box]
  const shoes = add(
    form({
      ...numbered(),
      ...headerOf([shoesBox], 610, 0.9),
      notes: noteFor([shoesBox]),
      consignor: firms.shoes,
      consignee: firms.entrepreneurKz,
      amountUsd: '54900',
      goods: [
        {
          code: '6402992900',
          description: zh('塑料鞋面运动鞋'),
          quantity: { value: '7320', unitCode: 'NPR' },
          amountUsd: '54900',
          origin: 'CN',
          boxes: [shoesBox],
        },
      ],
      documents: [{ typeCode: '315', id: 'XY-KZ-2026-11', date: '2026-09-30' }],
      exclusion: { personalUse: 'no' },
    }),
  )
  const parcels = add(
    form({
      ...numbered(),
      ...headerOf([parcelBox], 800, 0.92),
      notes: noteFor([parcelBox]),
      procedureCode: '9610',
      consignor: firms.parcels,
      exporter: firms.parcels,
      consignee: { kind: 'natural-persons', country: 'KZ' },
      amountUsd: '33600',
      goods: (
        [
          ['6110200090', '针织衫', '260', '9100'],
          ['6402992900', '运动鞋', '210', '10500'],
          ['9503008900', '玩具', '190', '4000'],
          ['8517693900', '蓝牙耳机', '140', '10000'],
        ] as const
      ).map(([code, description, pieces, amountUsd]) => ({
        code,
        description: zh(description),
        quantity: { value: pieces, unitCode: 'NAR' },
        amountUsd,
        origin: 'CN',
        boxes: [parcelBox],
      })),
    }),
    'withheld',
    'clearance/personal-use',
  )
  const post = add(
    form({
      ...numbered(),
      ...headerOf([postBox], 1340, 1),
      procedureCode: '9610',
      consignor: firms.postOffice,
      consignee: { kind: 'unknown', country: 'KZ' },
      goods: [
        {
          code: '4911990000',
          description: zh('国际邮件总包'),
          quantity: { value: '1340', unitCode: 'NAR' },
          boxes: [postBox],
        },
      ],
      exclusion: { postal: true },
    }),
    'withheld',
    'clearance/postal',
  )
  const removals = add(
    form({
      ...numbered(),
      ...headerOf([removalsBox], 96, 0.95),
      notes: noteFor([removalsBox]),
      procedureCode: '3339',
      consignor: { name: zh('王某'), kind: 'natural-person', country: 'CN' },
      consignee: { name: zh('王某'), kind: 'natural-person', country: 'KZ' },
      goods: [
        {
          code: '9403609990',
          description: zh('搬家物品，旧家具'),
          quantity: { value: '96', unitCode: 'NAR' },
          boxes: [removalsBox],
        },
      ],
      exclusion: { personalUse: 'yes' },
    }),
    'withheld',
    'clearance/personal-use',
  )
  const restricted = add(
    form({
      ...numbered(),
      ...headerOf([secretBox], 12, 0.85),
      notes: noteFor([secretBox]),
      consignor: firms.optics,
      consignee: firms.opticsKz,
      amountUsd: '410000',
      goods: [
        {
          code: '9015100000',
          description: zh('测距仪'),
          quantity: { value: '24', unitCode: 'NAR' },
          amountUsd: '410000',
          origin: 'CN',
          boxes: [secretBox],
        },
      ],
      exclusion: { personalUse: 'no', ownLaw: true },
    }),
    'withheld',
    'clearance/own-law',
  )
  for (const [id, declaration, fact, box] of [
    ['e-commerce', parcels, 'A company consigns 800 parcels to 800 natural persons.', parcelBox],
    ['post', post, 'A box of international mail.', postBox],
    ['removals', removals, "A natural person's household goods.", removalsBox],
    ['own-law', restricted, 'Goods whose data the home state forbids to hand over.', secretBox],
  ] as const)
    train.plant(id, 'cn-declarations.ndjson', {
      fact,
      position: positionOf(general, declaration.declaration.id),
      subject: box.id,
      effect: 'never',
      must: 'Withheld with its ground at home. Nothing of the declaration reaches the partner; the box is listed on the train only.',
    })
  train.plant('entrepreneur', 'cn-declarations.ndjson', {
    fact: 'An individual entrepreneur buys shoes under a commercial contract.',
    position: positionOf(general, shoes.declaration.id),
    subject: shoesBox.id,
    effect: 'quiet',
    must: 'Eligible: a natural person by registration, goods of trade by contract.',
  })

  const groupageBoxes = forty(5, 14_500, 200)
  const groupage = groupageBoxes.flatMap((box, boxIndex) => {
    const notes = noteFor([box])
    return split(random, box.goodsKg, 4, 300).map((grossKg, index) => {
      const lines = PARTS.filter((_, part) => part % 4 === index)
      const special = (
        { '1.2': 'partial', '2.1': 'inseparable', '3.0': 'unknown' } as Record<
          string,
          'partial' | 'inseparable' | 'unknown'
        >
      )[`${boxIndex}.${index}`]
      const masses = split(random, grossKg, lines.length, 100)
      const goods: Goods[] = lines.map(([code, description], line) => ({
        code,
        description: zh(description),
        quantity: { value: String(random.integer(200, 1900)), unitCode: 'NAR' },
        amountUsd: String(random.integer(40, 90) * 100),
        origin: 'CN',
        boxes: [box],
        ...(special === 'partial'
          ? {
              grossMass: kg(masses[line]!),
              netMass: oneDecimal(masses[line]! * 0.9),
              packages: { typeCode: 'CT', quantity: 20 + line * 5 },
            }
          : {}),
        ...((special === 'partial' && line === lines.length - 1) || (special === 'inseparable' && line === 0)
          ? { exclusion: { personalUse: 'yes' as const } }
          : {}),
      }))
      const declaration = form({
        ...numbered(),
        boxes: [box],
        notes,
        grossMass: kg(grossKg),
        netMass: oneDecimal(grossKg * 0.9),
        packages:
          special === 'partial'
            ? goods.reduce((sum, line) => sum + (line.packages?.quantity ?? 0), 0)
            : random.integer(60, 140),
        amountUsd: String(goods.reduce((sum, line) => sum + Number(line.amountUsd), 0)),
        consignor: firms.parts,
        exporter: random.pick(firms.agents),
        consignee: special === 'unknown' ? { name: zh('李某'), kind: 'natural-person', country: 'KZ' } : firms.partsKz,
        goods,
        ...(special === 'unknown' ? { exclusion: { personalUse: 'unknown' as const } } : {}),
      })
      if (special === 'partial') return declarationEntry(declaration, 'partial', 'clearance/personal-use')
      if (special === 'inseparable') return declarationEntry(declaration, 'withheld', 'clearance/personal-use')
      if (special === 'unknown') return declarationEntry(declaration, 'held', 'clearance/personal-use-unknown')
      return declarationEntry(declaration, 'eligible')
    })
  })
  const groupagePosition = (outcome: string) => groupage.findIndex((entry) => entry.outcome === outcome) + 1
  train.plant('partial', 'cn-groupage.json', {
    fact: "Groupage with one line of a natural person's goods; every line has its own mass, packages and amount.",
    position: groupagePosition('partial'),
    pointer: '/items/2',
    effect: 'see',
    must: 'That line is left out; totals and item numbers are made again from the rest.',
  })
  train.plant('inseparable', 'cn-groupage.json', {
    fact: 'Groupage with one exempt line, but masses and packages stand in the header only.',
    position: groupagePosition('withheld'),
    pointer: '/items/0',
    effect: 'never',
    must: 'The rest cannot be stated without the exempt line: all of it is withheld. The box keeps its other declarations.',
  })
  train.plant('unknown-person', 'cn-groupage.json', {
    fact: 'A natural person receives car parts; whether for personal use, nobody has said.',
    position: groupagePosition('held'),
    effect: 'never',
    must: 'Held until an officer decides. The partner is told nothing.',
  })

  const marketBoxes = forty(5, 11_500, 150)
  const market = marketBoxes.flatMap((box, boxIndex) => {
    const notes = noteFor([box])
    return split(random, box.goodsKg, MARKET_DECLARATIONS_PER_BOX[boxIndex]!, 60).map((grossKg) => {
      const lines = Array.from({ length: random.integer(1, 3) }, () => random.pick(MARKET))
      const goods = lines.map(([code, description, unitCode]) => ({
        code,
        description: zh(description),
        quantity: { value: String(unitCode === 'KGM' ? random.integer(80, 160) : random.integer(120, 900)), unitCode },
        amountUsd: String(random.integer(9, 40) * 50),
        origin: 'CN',
        boxes: [box],
      }))
      const agent = random.pick(firms.agents)
      return declarationEntry(
        form({
          ...numbered(),
          boxes: [box],
          notes,
          procedureCode: '1039',
          grossMass: kg(grossKg),
          netMass: oneDecimal(grossKg * 0.92),
          packages: random.integer(8, 40),
          amountUsd: String(goods.reduce((sum, line) => sum + Number(line.amountUsd), 0)),
          consignor: agent,
          exporter: agent,
          declarant: agent,
          consignee: firms.bazaarKz,
          goods,
        }),
        'eligible',
      )
    })
  })
  train.plant('market-procurement', 'cn-market-procurement.csv', {
    fact: 'Five boxes of market purchases travel under 18 to 34 declarations each, lodged by agent exporters.',
    effect: 'quiet',
    must: 'Each box shows once, with all its declarations; an agent as exporter colours nothing.',
  })

  const all = [
    ...carBoxes,
    ...climateBoxes,
    ...furnitureBoxes,
    ...groupageBoxes,
    ...marketBoxes,
    ...solarBoxes,
    shoesBox,
    parcelBox,
    postBox,
    removalsBox,
    secretBox,
    ...tileBoxes,
  ]
  for (const box of all) box.seals.push(boltSeal(random, 'XAZ'))
  secretBox.declarationIds = [restricted.declaration.id]
  parcelBox.declarationIds = [parcels.declaration.id]
  const planned = formTrain(yard, '1435', all)
  const handedOver = sameUnits(planned, (box) => (box.id === rolled.id ? undefined : box))
  const onward = formTrain(
    yard,
    '1520',
    all.filter((box) => box !== rolled),
  )
  train.plant('withheld-number-in-departure', 'cn-departure.json', {
    fact: "The exit system's own departure record names the declarations of two withheld boxes.",
    position: 1,
    subject: secretBox.id,
    effect: 'never',
    must: 'The departure that crosses lists both boxes as means of transport without those declaration numbers.',
  })

  const second: HomeDeclaration = structuredClone(climate[1]!)
  second.declaration.versionId = 2
  second.declaration.totalNetMass = oneDecimal(Number(second.declaration.totalNetMass) - 240)
  second.items[0]!.supplementaryQuantity = { value: '778', unitCode: 'SET' }
  train.plant('amendment-after-departure', 'cn-amendment-after-departure.json', {
    fact: 'Version 2 of an air conditioner declaration (778 sets instead of 780) is lodged after the train was handed over.',
    position: 1,
    subject: second.declaration.id,
    effect: 'see',
    must: 'It leaves as an amendment and is shown in place of version 1 on the leg that has already arrived.',
  })

  train.ndjson('CN-GACC', 'cn-declarations.ndjson', general, { numbers: true })
  train.array('CN-GACC', 'cn-groupage.json', groupage)
  train.declarationsCsv('CN-GACC', 'cn-market-procurement.csv', market)
  train.list('CN-GACC', 'cn-list-1.json', railwayList(HAND_OVER, planned, 1))
  train.list('CN-GACC', 'cn-list-2.json', railwayList(HAND_OVER, handedOver, 2), { numbers: true })
  train.departure('CN-GACC', 'cn-departure.json', departure(DEPARTED, handedOver))
  train.one('CN-GACC', 'cn-amendment-after-departure.json', declarationEntry(second, 'eligible'))
  train.listCsv('KZ-KGD', 'kz-list.csv', railwayList(HAND_OVER, handedOver, 2), ';')
  train.arrival('KZ-KGD', 'kz-arrival.json', arrival(ARRIVED, handedOver))
  train.list('KZ-KGD', 'kz-list-1520.json', railwayList(ONWARD, onward))
  train.reloading(
    'KZ-KGD',
    'kz-reloading.json',
    reloading(
      'ALT-20261118-01',
      stations.altynkol,
      [ARRIVED],
      [ONWARD],
      [handedOver],
      [onward],
      '2026-11-18T06:48:00Z',
    ),
  )
  const named = unitsNamed([...general, ...groupage, ...market])
  train.count({ node: 'CN-GACC', direction: 'out', leg: HAND_OVER, listVersion: 2, consist: handedOver, named })
  train.count({ node: 'KZ-KGD', direction: 'in', leg: HAND_OVER, listVersion: 2, consist: handedOver, named })
  train.count({ node: 'KZ-KGD', direction: 'home', leg: ONWARD, consist: onward, named })
  return { train, rolled }
}
