import type { ConsignmentNoteReference, Leg, ListedContainer, Seal } from '../../src/clearance/model.ts'
import { formOf, headerOf, lodgedOn, type Route } from './declarations.ts'
import { firms } from './firms.ts'
import { smgsNote } from './formats-uncefact.ts'
import { cnDeclarationId, eaeuDeclarationId } from './identifiers.ts'
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
  smartLock,
  WagonYard,
} from './units.ts'

const DAY = '2026-11-02'
function handOver(trainNumber: string, transferListNumber: string, from: string, to: string) {
  return {
    trainNumber,
    transferListNumber,
    transferListDate: DAY,
    gauge: '1435',
    from: stations.alashankou,
    to: stations.dostyk,
    departedAt: `${DAY}T${from}:00Z`,
    arrivedAt: `${DAY}T${to}:00Z`,
  } as const satisfies Leg
}
const T2 = handOver('X8153', '0004402', '03:10', '03:38')
const T2B = handOver('X8155', '0004405', '04:50', '05:21')
const T2C = handOver('X8159', '0004409', '06:20', '06:52')
function onward(consistNumber: string, transferListNumber: string, hour: string) {
  return {
    trainIndex: `7085-${consistNumber}-6665`,
    transferListNumber,
    transferListDate: DAY,
    gauge: '1520',
    from: stations.dostyk,
    to: stations.iletsk,
    plannedDepartureAt: `${DAY}T${hour}:00Z`,
  } as const satisfies Leg
}
const ONWARD_1 = onward('113', '41507', '14:30')
const ONWARD_2 = onward('114', '41508', '16:10')

function planned({ departedAt: _, arrivedAt: __, ...leg }: ReturnType<typeof handOver>): Leg {
  return leg
}
function departed({ arrivedAt: _, ...leg }: ReturnType<typeof handOver>) {
  return leg
}

/**
 * T2, Chongqing to Germany, Poland, Belarus and Russia by Alashankou and Dostyk, with two companion trains: three
 * trains of 1435 become two of 1520. Gives the box that comes back with T6.
 */
export function trainT2(): { readonly train: Train; readonly returning: Box } {
  const train = new Train('T2')
  const random = new Random(2)
  const yard = new WagonYard(random)
  const forty = (count: number, goodsKg: number, spread: number) =>
    newBoxes(random, 'ZQKU', '40', count, split(random, goodsKg * count, count, spread))
  let noteNumber = 24_018_200
  const noteFor = (boxes: readonly Box[]) => {
    noteNumber += random.integer(1, 9)
    const note = {
      number: String(noteNumber),
      typeCode: '720',
      departureStation: stations.chongqing,
      date: '2026-10-29',
    }
    for (const box of boxes) box.notes.push(note)
    return [note]
  }
  let serial = 3_307_700
  const form = formOf({
    classificationType: 'CN',
    officeId: offices.chongqing,
    exitOfficeId: offices.alashankou,
    entryOfficeId: offices.dostyk,
    procedureCode: '0110',
    from: stations.chongqing,
    border: [stations.alashankou, stations.dostyk],
    exportCountry: 'CN',
    declarant: firms.forwarderCn,
    carrier: firms.railCn,
  })
  const numbered = () => {
    serial += random.integer(1, 40)
    return { id: cnDeclarationId(offices.chongqing, serial), ...lodgedOn(random, '10', 24, 29) }
  }
  const germany = { routing: ['CN', 'KZ', 'RU', 'BY', 'PL', 'DE'], destinationCountry: 'DE', to: stations.duisburg }
  const poland = { routing: ['CN', 'KZ', 'RU', 'BY', 'PL'], destinationCountry: 'PL', to: stations.malaszewicze }
  const russia = { routing: ['CN', 'KZ', 'RU'], destinationCountry: 'RU', to: stations.vorsino }
  const belarus = { routing: ['CN', 'KZ', 'RU', 'BY'], destinationCountry: 'BY', to: stations.minsk }

  const laptops = forty(14, 8600, 90)
  const networks = forty(9, 9400, 120)
  const gearboxes = forty(8, 15_800, 150)
  const chargers = forty(7, 12_300, 100)
  const toys = forty(6, 6900, 80)
  const batteries = forty(4, 19_600, 60)
  const medical = forty(2, 7400, 40)
  const all = [...laptops, ...networks, ...gearboxes, ...chargers, ...toys, ...batteries, ...medical]
  for (const box of all) box.seals.push(boltSeal(random, 'CQZ'))
  laptops
    .concat(networks)
    .slice(0, 20)
    .forEach((box, index) => {
      box.seals.push(smartLock(401 + index))
    })
  for (const boxes of [batteries, medical]) for (const box of boxes) noteFor([box])

  const declarations: Entry[] = []
  const add = (declaration: ReturnType<typeof form>) => {
    declarations.push(declarationEntry(declaration, 'eligible'))
    return declaration
  }
  const goodsOf = (
    boxes: readonly Box[],
    code: string,
    description: string,
    pieces: number,
    usdPerBox: number,
    more: { readonly un?: readonly string[] } = {},
  ) => [
    {
      code,
      description: zh(description),
      quantity: { value: String(pieces * boxes.length), unitCode: 'NAR' },
      amountUsd: String(usdPerBox * boxes.length),
      origin: 'CN',
      boxes,
      ...more,
    },
  ]
  const exported = (
    boxes: readonly Box[],
    packagesPerBox: number,
    goods: ReturnType<typeof goodsOf>,
    route: Route,
    consignor: (typeof firms)['laptops'],
    consignee: Parameters<typeof form>[0]['consignee'],
    notes: readonly ConsignmentNoteReference[] = noteFor(boxes),
  ) =>
    add(
      form({
        ...numbered(),
        ...headerOf(boxes, packagesPerBox * boxes.length, 0.9),
        ...route,
        notes,
        consignor,
        consignee,
        amountUsd: goods[0]!.amountUsd,
        goods,
      }),
    )
  exported(
    laptops,
    380,
    goodsOf(laptops, '8471301000', '便携式计算机', 3000, 900_000),
    germany,
    firms.laptops,
    firms.forwarderDe,
  )
  exported(
    networks,
    640,
    goodsOf(networks, '8517623900', '以太网交换机', 5200, 610_000),
    poland,
    firms.networks,
    firms.forwarderPl,
  )
  add(
    form({
      ...numbered(),
      ...headerOf(gearboxes, 96 * 8, 0.93),
      ...russia,
      notes: noteFor(gearboxes),
      consignor: firms.gearboxes,
      consignee: firms.gearboxesRu,
      amountUsd: '592000',
      goods: (
        [
          ['8708995900', '传动件', '2600', '212000'],
          ['8708409990', '变速箱零件', '1900', '198000'],
          ['8708507690', '驱动桥零件', '1200', '121000'],
          ['8708801000', '减震器', '3400', '61000'],
        ] as const
      ).map(([code, description, pieces, amountUsd]) => ({
        code,
        description: zh(description),
        quantity: { value: pieces, unitCode: 'NAR' },
        amountUsd,
        origin: 'CN',
        boxes: gearboxes,
      })),
    }),
  )
  exported(
    chargers,
    520,
    goodsOf(chargers, '8504401990', '稳压电源', 9400, 148_000),
    belarus,
    firms.chargers,
    firms.chargersBy,
  )
  exported(
    toys.slice(0, 3),
    760,
    goodsOf(toys.slice(0, 3), '9503008900', '塑料玩具', 21_000, 64_000),
    germany,
    firms.toys,
    firms.forwarderDe,
  )
  const reconsignedBoxes = toys.slice(3)
  const reconsigned = exported(
    reconsignedBoxes,
    760,
    goodsOf(reconsignedBoxes, '9503008900', '塑料玩具', 21_000, 64_000),
    germany,
    firms.toys,
    firms.forwarderDe,
  )
  const lithium = '锂离子蓄电池组'
  exported(
    batteries.slice(0, 3),
    210,
    goodsOf(batteries.slice(0, 3), '8507600090', lithium, 420, 236_000, { un: ['3480'] }),
    germany,
    firms.batteries,
    firms.forwarderDe,
    batteries.slice(0, 3).flatMap((box) => box.notes),
  )
  const noUnNumber = exported(
    batteries.slice(3),
    210,
    goodsOf(batteries.slice(3), '8507600090', lithium, 420, 236_000),
    germany,
    firms.batteries,
    firms.forwarderDe,
    batteries[3]!.notes,
  )
  const returning = medical[0]!
  exported(
    medical,
    140,
    goodsOf(medical, '9018907099', '医用内窥镜附件', 800, 410_000),
    germany,
    firms.medical,
    firms.forwarderDe,
    medical.flatMap((box) => box.notes),
  )
  const file = 'cn-declarations.ndjson'
  train.plant('un-number-missing', file, {
    fact: 'Lithium batteries in one of four boxes are declared without their UN number (3480); the other three have it.',
    position: positionOf(declarations, noUnNumber.declaration.id),
    pointer: '/items/0/dangerousGoods',
    subject: batteries[3]!.id,
    effect: 'warning',
    code: 'clearance/un-number-missing',
    must: 'Sent with a warning. The consignment note names UN 3480, so the post can see the gap before reloading.',
  })
  train.plant('forwarders-as-parties', file, {
    fact: 'Consignees are forwarding agents, not buyers.',
    position: 1,
    effect: 'quiet',
    must: 'No colour: forwarders as consignees are normal on transit trains.',
  })
  train.plant('locks-on-twenty', 'cn-departure.json', {
    fact: "Twenty boxes carry the carrier's lock beside the consignor's seal.",
    position: 1,
    effect: 'see',
    must: 'Both closures are listed, each with its owner.',
  })

  const companion = (count: number, prefix: string, consignee: Parameters<typeof form>[0]['consignee']) => {
    const boxes = newBoxes(random, prefix, '40', count, split(random, 13_200 * count, count, 700))
    for (const box of boxes) box.seals.push(boltSeal(random, 'CQZ'))
    return { boxes, consignee }
  }
  const second = companion(30, 'ZQKU', firms.forwarderPl)
  const third = companion(30, 'ZQKU', firms.forwarderDe)
  const companions: Entry[] = []
  const [late, ...inTime] = third.boxes as [Box, ...Box[]]
  noteFor([late])
  for (const [boxes, consignee] of [
    [second.boxes.slice(0, 20), second.consignee],
    [second.boxes.slice(20), second.consignee],
    [inTime.slice(0, 20), third.consignee],
    [inTime.slice(20), third.consignee],
  ] as const)
    companions.push(
      declarationEntry(
        form({
          ...numbered(),
          ...headerOf(boxes, 400 * boxes.length, 0.91),
          ...poland,
          notes: noteFor(boxes),
          consignor: firms.networks,
          consignee,
          amountUsd: String(88_000 * boxes.length),
          goods: goodsOf(boxes, '8516797000', '家用电热器具', 2400, 88_000),
        }),
        'eligible',
      ),
    )
  train.plant('late-box', 'cn-list-t2c.json', {
    fact: 'One box of the third train left before its declaration was released.',
    position: 1,
    subject: late.id,
    effect: 'see',
    must: 'It counts as listed without data: ordinary documents for this box, nothing for its neighbours.',
  })

  const consist = formTrain(yard, '1435', all)
  const consistB = formTrain(yard, '1435', second.boxes)
  const consistC = formTrain(yard, '1435', third.boxes)
  const from = [...all, ...second.boxes, ...third.boxes]
  const first1520 = formTrain(yard, '1520', from.slice(0, 55))
  const second1520 = formTrain(yard, '1520', from.slice(55))

  const changedBox = gearboxes[2]!
  const newSeal: Seal = {
    id: `KZR${random.digits(7)}`,
    typeCode: '1',
    sealingPartyRole: 'CA',
    state: 'replaced-with-act',
    actNumber: 'АВ-0226/11',
    replaces: [changedBox.seals[0]!.id],
  }
  const resealed = (box: ListedContainer) => (box.id === changedBox.id ? { ...box, seals: [newSeal] } : box)
  const kzArrival = arrival(T2, consist, (unit) => (unit.id === changedBox.id ? { ...unit, seals: [newSeal] } : unit))
  train.plant('seal-replaced-with-act', 'kz-arrival.json', {
    fact: 'A seal was opened and replaced at Dostyk under an opening act.',
    position: 1,
    pointer: `/units/${kzArrival.units.findIndex((unit) => unit.id === changedBox.id)}/seals/0`,
    subject: changedBox.id,
    effect: 'quiet',
    must: 'Old seal, new seal and act are shown; nobody is woken: a seal with an act is normal.',
  })
  train.plant('three-into-two', 'kz-reloading.json', {
    fact: 'Three trains of 1435 (50 + 30 + 30 boxes) leave as two of 1520 (55 + 55).',
    position: 1,
    effect: 'see',
    must: 'Every box is found on its new wagon and leg; each leg keeps its own figures.',
  })

  let kzSerial = 811
  const kzForm = formOf({
    kind: 'TR',
    classificationType: 'HS',
    officeId: offices.dostyk,
    exitOfficeId: offices.dostyk,
    procedureCode: '80',
    acceptedAt: `${DAY}T07:30:00Z`,
    releasedAt: `${DAY}T08:00:00Z`,
    from: stations.dostyk,
    border: [stations.iletsk],
    exportCountry: 'CN',
    declarant: firms.railKz,
    carrier: firms.railKz,
  })
  const kzTransit = (
    [
      [laptops, '847130', 'Портативные компьютеры', 'DE', ['KZ', 'RU', 'BY', 'PL', 'DE']],
      [networks, '851762', 'Сетевое оборудование', 'PL', ['KZ', 'RU', 'BY', 'PL']],
      [gearboxes, '870899', 'Части автомобилей', 'RU', ['KZ', 'RU']],
      [reconsignedBoxes, '950300', 'Игрушки', 'RU', ['KZ', 'RU']],
    ] as const
  ).map(([boxes, code, description, destinationCountry, routing]) => {
    kzSerial += random.integer(1, 30)
    const gross = kg(goodsKgOf(boxes))
    return declarationEntry(
      kzForm({
        id: eaeuDeclarationId(offices.dostyk, DAY, kzSerial),
        boxes,
        notes: boxes[0]!.notes,
        routing,
        destinationCountry,
        grossMass: gross,
        transitLimitDate: '2026-11-27',
        goods: [{ code, description: ru(description), grossMass: gross, boxes }],
      }),
      'not-concerned',
      'clearance/no-nexus',
    )
  })
  train.plant('home-transit-not-concerned', 'kz-transit.json', {
    fact: "Kazakhstan's own transit declarations for these boxes lead away from China.",
    effect: 'never',
    must: 'Not concerned: nothing goes to the partner, and nothing is an error.',
  })

  const reconsignmentNote = smgsNote({
    number: reconsignedBoxes[0]!.notes[0]!.number,
    date: '2026-10-29',
    from: stations.chongqing,
    to: stations.vorsino,
    border: [stations.alashankou, stations.dostyk, stations.iletsk],
    consignor: firms.toys,
    consignee: firms.consolidatorRu,
    carrier: firms.railCn,
    boxes: reconsignedBoxes,
    wagonOf: (box) => consist.containers.find((listed) => listed.id === box.id)!.onWagon!,
    goods: [{ code: '95030089', description: 'Игрушки пластмассовые', packages: 760 * 3, packageType: 'CT' }],
    declarationIds: [reconsigned.declaration.id],
  })
  train.plant('reconsigned-de-to-ru', 'kz-note-reconsigned.json', {
    fact: 'Three boxes exported to Germany were re-consigned on the way: the consignment note now leads to Russia.',
    position: 1,
    subject: reconsigned.declaration.id,
    effect: 'see',
    must: 'The clearance keeps DE, the note says RU: both are shown for the boxes. The clearance is not a false one.',
  })
  const batteryNote = smgsNote({
    number: batteries[3]!.notes[0]!.number,
    date: '2026-10-29',
    from: stations.chongqing,
    to: stations.duisburg,
    border: [stations.alashankou, stations.dostyk, stations.iletsk],
    consignor: firms.batteries,
    consignee: firms.forwarderDe,
    carrier: firms.railCn,
    boxes: batteries.slice(3),
    wagonOf: (box) => consist.containers.find((listed) => listed.id === box.id)!.onWagon!,
    goods: [
      { code: '85076000', description: 'Аккумуляторы литий-ионные', packages: 210, packageType: 'CT', un: '3480' },
    ],
    declarationIds: [noUnNumber.declaration.id],
  })

  const node = 'CN-GACC'
  train.ndjson(node, file, declarations, { numbers: true })
  train.array(node, 'cn-declarations-companions.json', companions)
  train.list(node, 'cn-list.json', railwayList(planned(T2), consist))
  train.list(node, 'cn-list-t2b.json', railwayList(planned(T2B), consistB))
  train.list(node, 'cn-list-t2c.json', railwayList(planned(T2C), consistC))
  train.departure(node, 'cn-departure.json', departure(departed(T2), consist))
  train.array(node, 'cn-departures-companions.json', [
    { record: { record: 'departure', content: departure(departed(T2B), consistB) } },
    { record: { record: 'departure', content: departure(departed(T2C), consistC) } },
  ])
  train.array('KZ-KGD', 'kz-lists.json', [
    { record: { record: 'railway-list', content: railwayList(planned(T2), consist) } },
    { record: { record: 'railway-list', content: railwayList(planned(T2B), consistB) } },
    { record: { record: 'railway-list', content: railwayList(planned(T2C), consistC) } },
  ])
  train.array('KZ-KGD', 'kz-transit.json', kzTransit)
  train.foreign(
    'KZ-KGD',
    'kz-note-reconsigned.json',
    'unece-consignment-note',
    [reconsignmentNote.entry],
    reconsignmentNote.text,
  )
  train.foreign('KZ-KGD', 'kz-note-batteries.json', 'unece-consignment-note', [batteryNote.entry], batteryNote.text)
  train.arrival('KZ-KGD', 'kz-arrival.json', kzArrival)
  train.array('KZ-KGD', 'kz-lists-1520.json', [
    { record: { record: 'railway-list', content: railwayList(ONWARD_1, sameUnits(first1520, resealed)) } },
    { record: { record: 'railway-list', content: railwayList(ONWARD_2, sameUnits(second1520, resealed)) } },
  ])
  train.reloading(
    'KZ-KGD',
    'kz-reloading.json',
    reloading(
      'DST-20261102-03',
      stations.dostyk,
      [T2, T2B, T2C],
      [ONWARD_1, ONWARD_2],
      [consist, consistB, consistC],
      [first1520, second1520],
      `${DAY}T13:30:00Z`,
    ),
  )

  const named = unitsNamed([...declarations, ...companions])
  for (const [leg, units] of [
    [T2, consist],
    [T2B, consistB],
    [T2C, consistC],
  ] as const) {
    train.count({ node, direction: 'out', leg, consist: units, named })
    train.count({ node: 'KZ-KGD', direction: 'in', leg, consist: units, named })
  }
  train.count({ node: 'KZ-KGD', direction: 'home', leg: ONWARD_1, consist: first1520, named })
  train.count({ node: 'KZ-KGD', direction: 'home', leg: ONWARD_2, consist: second1520, named })
  return { train, returning }
}
