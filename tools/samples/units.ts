import type {
  Arrival,
  ConsignmentNoteReference,
  Departure,
  Leg,
  ListedContainer,
  ListedWagon,
  RailwayList,
  Reloading,
  Seal,
  Station,
} from '../../src/clearance/model.ts'
import { newContainerId, wagon1520 } from './identifiers.ts'
import type { Random } from './random.ts'

/** A container as the generator knows it: whole kilograms, gross mass on a list being tare and goods together. */
export interface Box {
  id: string
  readonly size: '20' | '40'
  tareKg: number
  goodsKg: number
  seals: Seal[]
  notes: ConsignmentNoteReference[]
  /** Given where the railway's list names the declarations. */
  declarationIds?: string[]
  packageQuantity?: number
}

/** Goods that stand on or in a wagon without a container. */
export interface WagonCargo {
  readonly kind: WagonKind
  goodsKg: number
  seals: Seal[]
  notes: ConsignmentNoteReference[]
  declarationIds?: string[]
}

export const goodsKgOf = (boxes: readonly Box[]): number => boxes.reduce((sum, box) => sum + box.goodsKg, 0)

export type WagonKind = 'flat' | 'gondola' | 'covered' | 'tank' | 'platform'

export interface Consist {
  readonly wagons: ListedWagon[]
  readonly containers: ListedContainer[]
}

export const kg = (whole: number): string => String(whole)
/** Kilograms to one decimal, in the shortest spelling. */
export const oneDecimal = (kilograms: number): string => String(Math.round(kilograms * 10) / 10)

const FIRST_1520_DIGIT: Record<WagonKind, string> = {
  flat: '94',
  gondola: '61',
  covered: '24',
  tank: '75',
  platform: '42',
}
const TARE_1520_KG: Record<WagonKind, number> = {
  flat: 26000,
  gondola: 23500,
  covered: 26200,
  tank: 25100,
  platform: 21400,
}
const FIRST_CN_DIGIT: Record<WagonKind, string> = {
  flat: '52',
  gondola: '16',
  covered: '34',
  tank: '62',
  platform: '51',
}
const TARE_CN_KG: Record<WagonKind, number> = {
  flat: 22500,
  gondola: 23800,
  covered: 24600,
  tank: 22900,
  platform: 20800,
}

/** Hands out wagons, each number once. */
export class WagonYard {
  private readonly random: Random
  private readonly given = new Set<string>()

  constructor(random: Random) {
    this.random = random
  }

  next(gauge: '1435' | '1520', kind: WagonKind): ListedWagon {
    for (;;) {
      const number =
        gauge === '1520'
          ? wagon1520(FIRST_1520_DIGIT[kind] + this.random.digits(5))
          : FIRST_CN_DIGIT[kind] + this.random.digits(5)
      if (this.given.has(number)) continue
      this.given.add(number)
      return gauge === '1520'
        ? { number, idTypeCode: '1520-8', ownerRailway: '27', tareMass: kg(TARE_1520_KG[kind]) }
        : { number, idTypeCode: 'CN-7', ownerRailway: '33', tareMass: kg(TARE_CN_KG[kind]) }
    }
  }
}

const TARE_BOX_KG = { '20': 2250, '40': 3850 } as const

export function newBoxes(
  random: Random,
  prefix: string,
  size: '20' | '40',
  count: number,
  goodsKg: readonly number[],
): Box[] {
  return Array.from({ length: count }, (_, index) => ({
    id: newContainerId(random, prefix),
    size,
    tareKg: TARE_BOX_KG[size],
    goodsKg: goodsKg[index % goodsKg.length]!,
    seals: [],
    notes: [],
  }))
}

/** The consignor's bolt seal; a carrier's smart lock is a second closure on the same door. */
export function boltSeal(random: Random, letters: string): Seal {
  return { id: `${letters}${random.digits(7)}`, typeCode: '1', sealingPartyRole: 'SH' }
}
export function smartLock(serial: number): Seal {
  return { id: `LOCK-${String(serial).padStart(5, '0')}`, typeCode: '2', sealingPartyRole: 'CA' }
}

function listedContainer(box: Box, onWagon: string): ListedContainer {
  return {
    id: box.id,
    sizeTypeCode: box.size === '40' ? '45G1' : '22G1',
    fullnessCode: box.goodsKg === 0 ? '4' : '5',
    onWagon,
    grossMass: kg(box.tareKg + box.goodsKg),
    tareMass: kg(box.tareKg),
    ...(box.packageQuantity === undefined ? {} : { packageQuantity: box.packageQuantity }),
    ...(box.seals.length === 0 ? {} : { seals: box.seals }),
    ...(box.notes.length === 0 ? {} : { notes: box.notes }),
    ...(box.declarationIds === undefined ? {} : { declarationIds: box.declarationIds }),
  }
}

/**
 * Stands boxes and cargo on wagons of one gauge: a Chinese flat takes one 40-foot or two 20-foot boxes, a 1520 flat
 * two of either (heavy 20-foot boxes go two to a wagon).
 */
export function formTrain(
  yard: WagonYard,
  gauge: '1435' | '1520',
  boxes: readonly Box[],
  cargo: readonly WagonCargo[] = [],
): Consist {
  const wagons: ListedWagon[] = []
  const containers: ListedContainer[] = []
  const flats: Box[][] = []
  for (const size of ['40', '20'] as const) {
    const perWagon = gauge === '1435' && size === '40' ? 1 : 2
    const ofSize = boxes.filter((box) => box.size === size)
    for (let at = 0; at < ofSize.length; at += perWagon) flats.push(ofSize.slice(at, at + perWagon))
  }
  for (const onFlat of flats) {
    const wagon = yard.next(gauge, 'flat')
    const goodsKg = onFlat.reduce((sum, box) => sum + box.goodsKg, 0)
    const boxKg = onFlat.reduce((sum, box) => sum + box.tareKg + box.goodsKg, 0)
    wagons.push({
      sequence: wagons.length + 1,
      ...wagon,
      grossMass: kg(Number(wagon.tareMass) + boxKg),
      loadState: goodsKg === 0 ? 'with-empty-containers' : 'loaded',
    })
    containers.push(...onFlat.map((box) => listedContainer(box, wagon.number)))
  }
  for (const load of cargo) {
    const wagon = yard.next(gauge, load.kind)
    wagons.push({
      sequence: wagons.length + 1,
      ...wagon,
      grossMass: kg(Number(wagon.tareMass) + load.goodsKg),
      netMass: kg(load.goodsKg),
      loadState: load.goodsKg === 0 ? 'empty' : 'loaded',
      ...(load.seals.length === 0 ? {} : { seals: load.seals }),
      ...(load.notes.length === 0 ? {} : { notes: load.notes }),
      ...(load.declarationIds === undefined ? {} : { declarationIds: load.declarationIds }),
    })
  }
  return { wagons, containers }
}

/**
 * The consist as a later list has it; `change` may leave a box out or alter it. A wagon that lost its last box is no
 * longer in the train, and one that lost a box weighs less.
 */
export function sameUnits(
  consist: Consist,
  change: (container: ListedContainer) => ListedContainer | undefined,
): Consist {
  const containers = consist.containers.map(change).filter((container) => container !== undefined)
  const carried = (boxes: readonly ListedContainer[], number: string) => boxes.filter((box) => box.onWagon === number)
  const wagons = consist.wagons.flatMap((wagon) => {
    const before = carried(consist.containers, wagon.number)
    const now = carried(containers, wagon.number)
    if (before.length === now.length) return [wagon]
    if (now.length === 0) return []
    const boxKg = now.reduce((sum, box) => sum + Number(box.grossMass), 0)
    return [{ ...wagon, grossMass: kg(Number(wagon.tareMass) + boxKg) }]
  })
  return { wagons: wagons.map((wagon, index) => ({ ...wagon, sequence: index + 1 })), containers }
}

export function railwayList(leg: Leg, consist: Consist, listVersion = 1): RailwayList {
  return { leg, listVersion, wagons: consist.wagons, containers: consist.containers }
}

export function departure(leg: Leg & { departedAt: string }, consist: Consist, reloadings?: Reloading[]): Departure {
  return {
    leg,
    wagons: consist.wagons,
    containers: consist.containers,
    ...(reloadings === undefined ? {} : { reloadings }),
  }
}

type ArrivedUnit = Arrival['units'][number]

/** Everything on the list was seen, except as `change` says. Wagons under containers are not units of an arrival. */
export function arrival(
  leg: Leg & { arrivedAt: string },
  consist: Consist,
  change: (unit: ArrivedUnit) => ArrivedUnit = (unit) => unit,
): Arrival {
  const carrying = new Set(consist.containers.map((container) => container.onWagon))
  const wagons: ArrivedUnit[] = consist.wagons
    .filter((wagon) => !carrying.has(wagon.number))
    .map((wagon) => ({ kind: 'wagon', id: wagon.number, seen: 'seen', ...sealsSame(wagon.seals) }))
  const containers: ArrivedUnit[] = consist.containers.map((container) => ({
    kind: 'container',
    id: container.id,
    seen: 'seen',
    ...sealsSame(container.seals),
  }))
  return { leg, units: [...containers, ...wagons].map(change) }
}

function sealsSame(seals: Seal[] | undefined): { seals?: Seal[] } {
  return seals === undefined ? {} : { seals: seals.map((seal) => ({ id: seal.id, state: 'same', conditionCode: '1' })) }
}

/** Box by box from wagon to wagon; the container stays, the wagon changes. */
export function reloading(
  id: string,
  station: Station,
  fromLegs: Leg[],
  toLegs: Leg[],
  from: readonly Consist[],
  to: readonly Consist[],
  finishedAt: string,
): Reloading {
  const newWagon = new Map(to.flatMap((consist) => consist.containers).map((box) => [box.id, box.onWagon!]))
  return {
    id,
    station,
    fromLegs,
    toLegs,
    moves: from
      .flatMap((consist) => consist.containers)
      .filter((box) => newWagon.has(box.id))
      .map((box) => ({ equipmentId: box.id, fromWagons: [box.onWagon!], toWagons: [newWagon.get(box.id)!] })),
    finishedAt,
  }
}
