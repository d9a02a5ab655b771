/** Declarations as a national system hands them over for one container train: invented, complete, without a warning. */

import { formOf, type Goods, headerOf } from '../samples/declarations.ts'
import { firms } from '../samples/firms.ts'
import { cnDeclarationId, newContainerId } from '../samples/identifiers.ts'
import { offices, stations, zh } from '../samples/places.ts'
import { Random } from '../samples/random.ts'
import type { Box } from '../samples/units.ts'

/** Clearances of one train: the corridor's usual length is some fifty boxes. */
export const trainLength = 50

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

const trades = [
  {
    consignor: firms.climate,
    consignee: firms.climateKz,
    code: '8415102290',
    description: zh('分体式空调器，制冷量不超过4000大卡/时'),
    unitCode: 'SET',
  },
  {
    consignor: firms.furniture,
    consignee: firms.furnitureKz,
    code: '9403609990',
    description: zh('木制家具，餐桌及边柜'),
    unitCode: 'NAR',
  },
  {
    consignor: firms.parts,
    consignee: firms.partsKz,
    code: '8708995900',
    description: zh('汽车底盘零件'),
    unitCode: 'KGM',
  },
  {
    consignor: firms.tiles,
    consignee: firms.tilesKz,
    code: '6907219000',
    description: zh('瓷质铺地砖，吸水率不超过0.5%'),
    unitCode: 'MTK',
  },
  {
    consignor: firms.solar,
    consignee: firms.solarKz,
    code: '8541430000',
    description: zh('光伏组件，单晶硅'),
    unitCode: 'NAR',
  },
] as const

/**
 * Hands out declarations of export from China to Kazakhstan, each number once: one box, one to four lines, some 2.2 KB
 * of JSON, as in `samples/`. The same seed gives the same declarations on the same day.
 */
export class DeclarationMaker {
  private readonly random: Random
  private readonly day: string
  private serial: number

  /** @param now they were released the day before: what lies ahead would be held */
  constructor(seed: number, now: Date) {
    this.random = new Random(seed)
    this.serial = seed * 10_000_000
    this.day = new Date(now.getTime() - 86_400_000).toISOString().slice(0, 10)
  }

  /** One declaration as a line of NDJSON. */
  line(): string {
    return `${JSON.stringify({ record: 'declaration', content: this.declaration() })}\n`
  }

  /** The declarations of a whole train as NDJSON. */
  train(length: number = trainLength): string {
    return Array.from({ length }, () => this.line()).join('')
  }

  private declaration() {
    const { random, day } = this
    this.serial += 1
    const { consignor, consignee, code, description, unitCode } = random.pick(trades)
    const lines = random.integer(1, 4)
    const box: Box = {
      id: newContainerId(random, 'QXJU'),
      size: '40',
      tareKg: 3850,
      goodsKg: random.integer(80, 260) * 100,
      seals: [],
      notes: [],
    }
    const packages = random.integer(2, 9) * 100
    box.packageQuantity = packages
    const goods = Array.from({ length: lines }, (): Goods => {
      const amountUsd = String(random.integer(5, 90) * 1000)
      return {
        code,
        description,
        quantity: { value: String(random.integer(20, 2000)), unitCode },
        amountUsd,
        origin: 'CN',
        boxes: [box],
      }
    })
    return form({
      id: cnDeclarationId(offices.xian, this.serial),
      acceptedAt: `${day}T02:${random.integer(10, 59)}:00Z`,
      releasedAt: `${day}T06:${random.integer(10, 59)}:00Z`,
      ...headerOf([box], packages, 0.91),
      consignor,
      consignee,
      notes: [{ number: random.digits(8), typeCode: '720', departureStation: stations.xian, date: day }],
      amountUsd: String(goods.reduce((sum, { amountUsd = '0' }) => sum + Number(amountUsd), 0)),
      terms: { code: 'FCA', place: "Xi'an" },
      goods,
      documents: [{ typeCode: '380', id: `YL-${random.digits(6)}`, date: day }],
    })
  }
}
