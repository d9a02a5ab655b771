import type { Leg, Reloading } from '../../src/clearance/model.ts'
import { formOf } from './declarations.ts'
import { firms } from './firms.ts'
import { wagonList } from './formats-uncefact.ts'
import { wcoDeclarationXml } from './formats-xml.ts'
import { eaeuDeclarationId, withWrongLastDigit } from './identifiers.ts'
import { offices, ru, stations } from './places.ts'
import { Random, split } from './random.ts'
import { declarationEntry } from './sample-file.ts'
import { idsSent, Train, unitsNamed } from './train.ts'
import {
  arrival,
  boltSeal,
  departure,
  formTrain,
  kg,
  newBoxes,
  oneDecimal,
  railwayList,
  type WagonCargo,
  type WagonKind,
  WagonYard,
} from './units.ts'

const HAND_OVER = {
  trainIndex: '7080-317-7085',
  transferListNumber: '41833',
  transferListDate: '2026-11-18',
  gauge: '1520',
  from: stations.dostyk,
  to: stations.alashankou,
  plannedDepartureAt: '2026-11-18T08:00:00Z',
} as const satisfies Leg
const DEPARTED = { ...HAND_OVER, departedAt: '2026-11-18T08:20:00Z' } as const
const ARRIVED = { ...DEPARTED, arrivedAt: '2026-11-18T08:58:00Z' } as const
const ONWARD = {
  trainNumber: '31084',
  transferListNumber: '0004488',
  transferListDate: '2026-11-18',
  gauge: '1435',
  from: stations.alashankou,
  to: stations.urumqi,
  plannedDepartureAt: '2026-11-18T20:10:00Z',
} as const satisfies Leg

/** T5, ore, metal and oil from Aktogay by Dostyk: 56 wagons, most of them without any container. */
export function trainT5(): Train {
  const train = new Train('T5')
  const random = new Random(5)
  const yard = new WagonYard(random)
  const concentrateId = eaeuDeclarationId(offices.balkhash, '2026-11-11', 6120)
  const cathodeId = eaeuDeclarationId(offices.balkhash, '2026-11-12', 6144)
  const alloyId = eaeuDeclarationId(offices.balkhash, '2026-11-13', 6151)
  const oilId = eaeuDeclarationId(offices.dostyk, '2026-11-14', 2087)
  let noteNumber = 40_128_600
  const note = () => {
    noteNumber += random.integer(1, 4)
    return [{ number: String(noteNumber), typeCode: '720', departureStation: stations.aktogay, date: '2026-11-15' }]
  }
  const cargo = (kind: WagonKind, masses: readonly number[], declarationId: string, sealed: boolean): WagonCargo[] =>
    masses.map((goodsKg) => ({
      kind,
      goodsKg,
      seals: sealed ? [boltSeal(random, 'KZM')] : [],
      notes: note(),
      declarationIds: [declarationId],
    }))
  const wet = split(random, 69_000 * 24, 24, 350)
  wet[1]! += wet[0]! - 69_000
  wet[0] = 69_000
  const gondolas = cargo('gondola', wet, concentrateId, false)
  const covered = cargo('covered', split(random, 60_000 * 8, 8, 90), cathodeId, true)
  const tanks = cargo('tank', split(random, 60_000 * 12, 12, 240), oilId, true)
  const alloyBoxes = newBoxes(random, 'QJXU', '20', 24, split(random, 27_000 * 24, 24, 110))
  for (const box of alloyBoxes) {
    box.seals.push(boltSeal(random, 'KZM'))
    box.notes.push(...note())
    box.declarationIds = [alloyId]
  }
  const consist = formTrain(yard, '1520', alloyBoxes, [...gondolas, ...covered, ...tanks])
  const wagonsOf = (id: string) => consist.wagons.filter((wagon) => wagon.declarationIds?.includes(id))
  const wrongWagon = wagonsOf(oilId)[7]!
  wrongWagon.number = withWrongLastDigit(wrongWagon.number)

  const form = formOf({
    classificationType: 'TNVED',
    officeId: offices.balkhash,
    exitOfficeId: offices.dostyk,
    entryOfficeId: offices.alashankou,
    typeCode: 'ЭК',
    procedureCode: '1000',
    from: stations.aktogay,
    to: stations.urumqi,
    border: [stations.dostyk, stations.alashankou],
    routing: ['KZ', 'CN'],
    exportCountry: 'KZ',
    destinationCountry: 'CN',
    acceptedAt: '2026-11-14T04:20:00Z',
    releasedAt: '2026-11-15T09:05:00Z',
  })
  const wetKg = 69_000 * 24
  const dryKg = wetKg * 0.915
  const concentrateUsd = String(Math.round((dryKg / 1000) * 1700))
  const concentrate = form({
    id: concentrateId,
    acceptedAt: '2026-11-11T06:00:00Z',
    temporary: { validUntil: '2027-01-31' },
    packages: 1,
    grossMass: kg(wetKg),
    netMass: oneDecimal(dryKg),
    amountUsd: concentrateUsd,
    consignor: firms.concentrate,
    consignee: firms.smelterCn,
    goods: [
      {
        code: '2603000000',
        description: ru('Концентрат медный, Cu 22 %, влажность 8,5 %, масса брутто во влажном, нетто в сухом весе'),
        grossMass: kg(wetKg),
        netMass: oneDecimal(dryKg),
        amountUsd: concentrateUsd,
        packages: { typeCode: 'VO' },
        origin: 'KZ',
      },
    ],
  })
  const cathodeWagons = wagonsOf(cathodeId)
  const cathode = form({
    id: cathodeId,
    packages: 192,
    grossMass: '480000',
    netMass: '479040',
    amountUsd: '4416000',
    notes: cathodeWagons.flatMap((wagon) => wagon.notes ?? []),
    consignor: firms.copper,
    consignee: firms.smelterCn,
    wagons: cathodeWagons.map(({ number }) => ({ number, idTypeCode: '1520-8' })),
    goods: [
      {
        code: '7403110000',
        description: ru('Катоды медные рафинированные'),
        grossMass: '480000',
        netMass: '479040',
        amountUsd: '4416000',
        packages: { typeCode: 'BE', quantity: 192 },
        origin: 'KZ',
        wagonNumbers: cathodeWagons.map(({ number }) => number),
      },
    ],
  })
  const alloy = form({
    id: alloyId,
    packages: 24,
    grossMass: '648000',
    netMass: '648000',
    amountUsd: '939600',
    boxes: alloyBoxes,
    notes: alloyBoxes.flatMap((box) => box.notes),
    consignor: firms.alloy,
    consignee: firms.alloyCn,
    goods: [
      {
        code: '7202419100',
        description: ru('Феррохром высокоуглеродистый, Cr 68 %'),
        grossMass: '648000',
        netMass: '648000',
        amountUsd: '939600',
        packages: { typeCode: 'VO', quantity: 24 },
        origin: 'KZ',
        boxes: alloyBoxes,
      },
    ],
  })
  const oil = form({
    id: oilId,
    officeId: offices.dostyk,
    packages: 12,
    grossMass: '720000',
    netMass: '720000',
    amountUsd: '756000',
    consignor: firms.oil,
    consignee: firms.grainCn,
    declarant: firms.oil,
    goods: [
      {
        code: '1512199009',
        description: ru('Масло подсолнечное рафинированное, наливом в цистернах'),
        grossMass: '720000',
        netMass: '720000',
        amountUsd: '756000',
        packages: { typeCode: 'VL', quantity: 12 },
        origin: 'KZ',
      },
    ],
  })
  const entries = [concentrate, cathode, alloy].map((declaration) => declarationEntry(declaration, 'eligible'))
  const oilEntry = declarationEntry(oil, 'eligible')

  const [shortGondola, splitGondola] = wagonsOf(concentrateId) as [
    (typeof consist.wagons)[0],
    (typeof consist.wagons)[0],
  ]
  const looseTank = wagonsOf(oilId)[3]!
  train.plant('wet-and-dry', 'kz-declarations.json', {
    fact: 'Copper concentrate: gross mass is the wet, net mass the dry one (8.5 % moisture); the value is provisional.',
    position: 1,
    pointer: '/items/0/netMass',
    effect: 'quiet',
    must: 'Both masses travel as they are; the wagons weigh as the wet mass and nothing is coloured.',
  })
  train.plant('provisional-value', 'kz-declarations.json', {
    fact: 'The concentrate is declared for a period at a provisional 1 700 USD/t, without naming wagons.',
    position: 1,
    pointer: '/declaration/temporary',
    subject: concentrateId,
    effect: 'warning',
    code: 'clearance/temporary-declaration',
    must: 'Sent with the remark that mass and value are approximate; the 24 gondolas have data through the list.',
  })
  train.plant('national-suffix-unknown', 'kz-declarations.json', {
    fact: 'Ferro-chromium 7202 41 is declared under a national suffix that the nomenclature does not have.',
    position: 3,
    pointer: '/items/0/commodityCode',
    effect: 'warning',
    code: 'clearance/national-suffix-unknown',
    must: 'The subheading is known, so this is a warning and the clearance is sent.',
  })
  train.plant('wagon-check-digit', 'kz-list.json', {
    fact: "One tank wagon's eighth digit is wrong on the railway's list and in the departure.",
    position: 1,
    pointer: `/wagons/${consist.wagons.indexOf(wrongWagon)}/number`,
    subject: wrongWagon.number,
    effect: 'warning',
    code: 'clearance/wagon-check-digit',
    must: 'The wagon stays on the leg with its data and a warning.',
  })
  train.plant('one-wagon-into-two', 'cn-reloading.json', {
    fact: 'One gondola of 1520 was reloaded into two of 1435.',
    position: 1,
    pointer: '/moves/1',
    subject: splitGondola.number,
    effect: 'see',
    must: 'The goods of the one wagon are found on both.',
  })
  train.plant('shortage-with-act', 'cn-discrepancies.json', {
    fact: 'One gondola weighed 1.4 % less at reloading (69 000 → 68 034 kg); the railways drew up a commercial act.',
    position: 1,
    pointer: '/fact',
    subject: shortGondola.number,
    effect: 'see',
    must: 'A physical discrepancy reaches Kazakhstan with both masses and the act.',
  })
  train.plant('loose-seal', 'cn-discrepancies.json', {
    fact: 'The seal on one tank wagon is the right one and hangs loose.',
    position: 2,
    pointer: '/fact',
    subject: looseTank.number,
    effect: 'see',
    must: 'Shown as a seal exception at Alashankou and told to Dostyk.',
  })

  const loose = arrival(ARRIVED, consist, (unit) => {
    if (unit.id === looseTank.number)
      return { ...unit, seals: [{ id: unit.seals![0]!.id, state: 'same', conditionCode: '2' }] }
    if (unit.id === shortGondola.number) return { ...unit, massAtReloading: '68034' }
    return unit
  })
  const onward = formTrain(yard, '1435', alloyBoxes, [...gondolas, gondolas[1]!, ...covered, ...tanks])
  const onwardCargo = onward.wagons.filter((wagon) => wagon.netMass !== undefined)
  const cargoWagons = consist.wagons.filter((wagon) => wagon.netMass !== undefined)
  const spare = onwardCargo.splice(24, 1)[0]!
  const half = Math.round(gondolas[1]!.goodsKg / 2)
  onwardCargo[1]!.netMass = kg(half)
  onwardCargo[1]!.grossMass = kg(Number(onwardCargo[1]!.tareMass) + half)
  spare.netMass = kg(gondolas[1]!.goodsKg - half)
  spare.grossMass = kg(Number(spare.tareMass) + gondolas[1]!.goodsKg - half)
  onwardCargo[0]!.netMass = '68034'
  onwardCargo[0]!.grossMass = kg(Number(onwardCargo[0]!.tareMass) + 68_034)
  const reloaded: Reloading = {
    id: 'ALK-20261118-05',
    station: stations.alashankou,
    fromLegs: [ARRIVED],
    toLegs: [ONWARD],
    moves: [
      ...cargoWagons.map((wagon, index) => ({
        fromWagons: [wagon.number],
        toWagons: index === 1 ? [onwardCargo[1]!.number, spare.number] : [onwardCargo[index]!.number],
        massAfter: index === 0 ? '68034' : wagon.netMass!,
      })),
      ...consist.containers.map((box, index) => ({
        equipmentId: box.id,
        fromWagons: [box.onWagon!],
        toWagons: [onward.containers[index]!.onWagon!],
      })),
    ],
    finishedAt: '2026-11-18T18:45:00Z',
  }

  const node = 'KZ-KGD'
  train.array(node, 'kz-declarations.json', entries)
  train.foreign(node, 'kz-export-oil.wco.xml', 'wco-xml', [oilEntry], wcoDeclarationXml(oil))
  const inland = { number: '41790', date: '2026-11-16', from: stations.aktogay, to: stations.dostyk }
  const inlandLeg: Leg = {
    transferListNumber: inland.number,
    transferListDate: inland.date,
    from: inland.from,
    to: inland.to,
  }
  train.foreign(
    node,
    'kz-wagon-list-inland.json',
    'unece-wagon-list',
    [{ record: { record: 'railway-list', content: { leg: inlandLeg, ...consist } } }],
    wagonList({ ...inland, consist }),
  )
  train.list(node, 'kz-list.json', railwayList(HAND_OVER, consist))
  train.departure(node, 'kz-departure.json', departure(DEPARTED, consist))
  train.list('CN-GACC', 'cn-list.json', railwayList(HAND_OVER, consist))
  train.arrival('CN-GACC', 'cn-arrival.json', loose)
  train.array('CN-GACC', 'cn-discrepancies.json', [
    {
      record: {
        record: 'discrepancy',
        content: {
          unit: { kind: 'wagon', id: shortGondola.number },
          leg: HAND_OVER,
          fact: 'mass-differs',
          expected: '69000 kg',
          found: '68034 kg, commercial act 0417/11',
          observedAt: '2026-11-18T14:10:00Z',
        },
      },
    },
    {
      record: {
        record: 'discrepancy',
        content: {
          unit: { kind: 'wagon', id: looseTank.number },
          leg: HAND_OVER,
          fact: 'seal-differs',
          expected: 'closed',
          found: 'loose',
          observedAt: '2026-11-18T09:25:00Z',
        },
      },
    },
  ])
  train.reloading('CN-GACC', 'cn-reloading.json', reloaded)
  train.list('CN-GACC', 'cn-list-1435.json', railwayList(ONWARD, onward))

  const all = [...entries, oilEntry]
  const named = unitsNamed(all)
  const ids = idsSent(all)
  train.count({ node, direction: 'out', leg: HAND_OVER, consist, named, ids })
  train.count({ node: 'CN-GACC', direction: 'in', leg: HAND_OVER, consist, named, ids })
  return train
}
