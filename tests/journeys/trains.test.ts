/** Days at the post: trains that are listed, leave, arrive and are dealt with, as the railway really runs them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Departure, RailwayList } from '../../src/clearance/index.ts'
import {
  aDeparture,
  aDiscrepancy,
  anArrival,
  aRailwayList,
  aReloading,
  type DeepPartial,
} from '../builders/clearance.ts'
import { type JourneyNode, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { declaration, newNumber, received, sentAbout, typesAbout } from './journey.ts'

let two: TwoTestNodes
beforeAll(async () => {
  two = await startNodes()
})
afterAll(() => two?.close())

interface LegShown {
  readonly key: string
  readonly source: string
  readonly leg: RailwayList['leg']
  readonly closedAt: string | null
  readonly listVersion: number
  readonly listed: number
  readonly loaded: number
  readonly empty: number
  readonly withData: number
  readonly withoutData: number
  readonly warned: number
}
interface UnitShown {
  readonly id: string
  readonly declarations: readonly string[]
  readonly received: readonly string[]
  readonly warnings: ReadonlyArray<{ code: string }>
}
type LegDetail = LegShown & { units: readonly UnitShown[] }

const legAt = (node: JourneyNode, key: string): Promise<LegDetail> => node.get(`/api/v1/legs/${key}`)

/** The leg of a transfer list as a node shows it from one source. */
async function legOf(node: JourneyNode, list: string, source: string): Promise<LegDetail> {
  const { items } = await node.get<{ items: readonly LegShown[] }>(`/api/v1/legs?source=${source}&limit=500`)
  const found = items.find(({ leg }) => leg.transferListNumber === list)
  if (!found) throw new Error(`${node.id} knows no leg of list ${list} from ${source}`)
  return await legAt(node, found.key)
}

const unitOf = ({ units }: LegDetail, id: string): UnitShown | undefined => units.find((unit) => unit.id === id)

let train = 0
/** A leg with a transfer list of its own. */
function newLeg(overrides: DeepPartial<RailwayList['leg']> = {}): RailwayList['leg'] {
  train += 1
  return {
    ...aRailwayList().leg,
    trainNumber: `X${8100 + train}`,
    transferListNumber: `PL-${500 + train}`,
    ...overrides,
  } as RailwayList['leg']
}

/** A list of boxes, loaded, each on a wagon of its own. */
function listOf(leg: RailwayList['leg'], ids: readonly string[], listVersion = 1): RailwayList {
  return {
    leg,
    listVersion,
    wagons: ids.map((_, index) => ({
      sequence: index + 1,
      number: String(5270011 + index),
      loadState: 'loaded' as const,
    })),
    containers: ids.map((id, index) => ({ id, fullnessCode: '5' as const, onWagon: String(5270011 + index) })),
  }
}

const listed = async (node: JourneyNode, list: RailwayList): Promise<string> =>
  (await node.take({ record: 'railway-list', content: list })).about ?? ''

const depart = (node: JourneyNode, leg: string, departedAt = '2026-11-22T03:20:00.000Z') =>
  node.post<{ leg: string }>(`/api/v1/legs/${leg}/departure`, { departedAt })

/** A clearance of one box. */
async function cleared(
  node: JourneyNode,
  container: string,
  overrides: Parameters<typeof declaration>[2] = {},
): Promise<{ id: string; key: string }> {
  const id = newNumber()
  const whole = declaration(id, 1, overrides).content as {
    items: ReadonlyArray<object>
    equipment: ReadonlyArray<object>
  }
  const { about: key = '' } = await node.take({
    record: 'declaration',
    content: {
      ...whole,
      equipment: [{ id: container, fullnessCode: '5' }],
      items: whole.items.map((item) => ({ ...item, equipmentIds: [container] })),
    },
  })
  return { id, key }
}

describe('a box', () => {
  clause(
    'STOP-2021/1.2-r1',
    'that rolls to another train needs no new declaration and is told of where it went',
    async () => {
      const { key } = await cleared(two.cn, 'XDKU1000102')
      await cleared(two.cn, 'XDKU1000118')
      const first = newLeg()
      const second = newLeg()
      const early = await listed(two.cn, listOf(first, ['XDKU1000102', 'XDKU1000118']))
      expect((await legAt(two.cn, early)).withData).toBe(2)
      await listed(two.cn, listOf(first, ['XDKU1000118'], 2))
      const late = await listed(two.cn, listOf(second, ['XDKU1000102']))
      await depart(two.cn, early)
      await depart(two.cn, late, '2026-11-22T09:00:00.000Z')
      await two.settle()
      expect(await typesAbout(two.cn, key)).toEqual(['EXP-CLR'])
      expect(await legOf(two.kz, first.transferListNumber ?? '', 'partner')).toMatchObject({ listed: 1, withData: 1 })
      const its = await legOf(two.kz, second.transferListNumber ?? '', 'partner')
      expect(its).toMatchObject({ listed: 1, withData: 1, withoutData: 0 })
    },
  )

  test('that comes back after sixteen days is matched with its new papers and not with the old', async () => {
    const west = await cleared(two.cn, 'XDKU1000123', {
      customsDecision: { releaseDateTime: '2026-11-02T04:00:00.000Z' },
      consignment: { notes: undefined },
    })
    const there = newLeg({ transferListDate: '2026-11-03', plannedDepartureAt: '2026-11-03T03:00:00.000Z' })
    await depart(two.cn, await listed(two.cn, listOf(there, ['XDKU1000123'])), '2026-11-03T03:10:00.000Z')
    const arrived = await listed(two.kz, listOf(there, ['XDKU1000123']))
    await two.settle()
    expect(await two.kz.post(`/api/v1/legs/${arrived}/close`)).toEqual({ used: 1 })

    const east = await cleared(two.kz, 'XDKU1000123', {
      customsDecision: { releaseDateTime: '2026-11-18T04:00:00.000Z' },
      consignment: {
        notes: undefined,
        exportCountry: 'KZ',
        destinationCountry: 'CN',
        departureStation: { esr: '700007', country: 'KZ' },
        destinationStation: { unLocode: 'CNXIA', country: 'CN' },
      },
    })
    const back = newLeg({
      from: { esr: '707701', country: 'KZ' },
      to: { unLocode: 'CNHRS', country: 'CN' },
      transferListDate: '2026-11-19',
      plannedDepartureAt: '2026-11-19T03:00:00.000Z',
    })
    await depart(two.kz, await listed(two.kz, listOf(back, ['XDKU1000123'])), '2026-11-19T03:10:00.000Z')
    await two.settle()
    const theirs = await received(two.cn, east.id)
    const shown = unitOf(await legOf(two.cn, back.transferListNumber ?? '', 'partner'), 'XDKU1000123')
    expect(shown).toMatchObject({ received: [theirs?.key], declarations: [] })
    // The old train still shows the old papers.
    const old = unitOf(await legOf(two.kz, there.transferListNumber ?? '', 'partner'), 'XDKU1000123')
    expect(old?.received).toEqual([(await received(two.kz, west.id))?.key])
    expect(old?.declarations).toEqual([])
  })

  test('whose data come after the train has left counts as one with data from then on', async () => {
    const leg = newLeg()
    await depart(two.cn, await listed(two.cn, listOf(leg, ['XDKU1000139'])))
    await two.settle()
    expect(await legOf(two.kz, leg.transferListNumber ?? '', 'partner')).toMatchObject({ withData: 0, withoutData: 1 })
    await cleared(two.cn, 'XDKU1000139')
    await two.settle()
    expect(await legOf(two.kz, leg.transferListNumber ?? '', 'partner')).toMatchObject({ withData: 1, withoutData: 0 })
  })
})

describe('a train', () => {
  test('has empties that are counted and need no papers, and a wagon of its own kind', async () => {
    const leg = newLeg()
    const key = await listed(two.cn, {
      leg,
      wagons: [
        { sequence: 1, number: '5270011', loadState: 'loaded' },
        { sequence: 2, number: '5270012', loadState: 'with-empty-containers' },
        { sequence: 3, number: '52968011', loadState: 'empty' },
        { sequence: 4, number: '94205776', loadState: 'loaded', netMass: '69000' },
      ],
      containers: [
        { id: 'XDKU1000144', fullnessCode: '5', onWagon: '5270011' },
        { id: 'XDKU1000150', fullnessCode: '4', onWagon: '5270012', grossMass: '3900', tareMass: '3900' },
        { id: 'XDKU1000165', fullnessCode: '4', onWagon: '5270012', grossMass: '7900', tareMass: '3900' },
      ],
    })
    const shown = await legAt(two.cn, key)
    expect(shown).toMatchObject({ listed: 5, loaded: 2, empty: 3, withData: 0, withoutData: 2 })
    expect(unitOf(shown, 'XDKU1000165')?.warnings.map(({ code }) => code)).toContain('clearance/empty-too-heavy')
  })

  test('whose list comes again changes nothing; an older list that comes late changes nothing that is shown', async () => {
    const leg = newLeg()
    const list = listOf(leg, ['XDKU1000170', 'XDKU1000186'], 2)
    await listed(two.cn, list)
    expect(await two.cn.submit({ record: 'railway-list', content: list })).toMatchObject({ unchanged: 1, taken: 0 })
    const old = await two.cn.submit({ record: 'railway-list', content: listOf(leg, ['XDKU1000170'], 1) })
    expect(old).toMatchObject({ unchanged: 1, taken: 0, refused: 0 })
    expect(await legOf(two.cn, leg.transferListNumber ?? '', 'carrier')).toMatchObject({ listed: 2, listVersion: 2 })
  })

  test('departs once and is closed once, and only where it is known', async () => {
    const key = await listed(two.cn, listOf(newLeg(), ['XDKU1000191']))
    await depart(two.cn, key)
    const again = await two.cn.call('POST', `/api/v1/legs/${key}/departure`, {
      json: { departedAt: '2026-11-22T05:00:00Z' },
    })
    expect(again).toMatchObject({ status: 409, body: { code: 'clearance/leg-departed' } })
    await two.cn.post(`/api/v1/legs/${key}/close`)
    expect(await two.cn.call('POST', `/api/v1/legs/${key}/close`)).toMatchObject({
      status: 409,
      body: { code: 'clearance/leg-closed' },
    })
    const nowhere = await two.cn.call('POST', '/api/v1/legs/00000000-0000-4000-8000-000000000000/close')
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'clearance/leg-unknown' } })
  })

  clause(
    ['STOP-2021/1.2-r1', 'STOP-2021/4-r1'],
    'corrected after it left is told of again, in order, and the partner shows the last',
    async () => {
      const leg = newLeg()
      const departure = (ids: readonly string[]): Departure =>
        ({ ...listOf(leg, ids), leg: { ...leg, departedAt: '2026-11-22T03:20:00.000Z' } }) as Departure
      const content = (ids: readonly string[]) => {
        const { leg: its, wagons, containers } = departure(ids)
        return { leg: its, wagons, containers }
      }
      const { about = '' } = await two.cn.take({
        record: 'departure',
        content: content(['XDKU1000207', 'XDKU1000212']),
      })
      await two.cn.take({ record: 'departure', content: content(['XDKU1000207']) })
      await two.settle()
      expect((await sentAbout(two.cn, about)).map(({ type, seq }) => [type, seq])).toEqual([
        ['DEP', 2],
        ['DEP', 1],
      ])
      expect(await legOf(two.kz, leg.transferListNumber ?? '', 'partner')).toMatchObject({ listed: 1 })
    },
  )

  clause(
    ['STOP-2021/1.2-r1', 'STOP-2021/4-r1'],
    'closed reports USED for every record on it, inspected or not, and no record twice',
    async () => {
      const ids = ['XDKU1000228', 'XDKU1000233', 'XDKU1000249']
      const all = []
      for (const id of ids) all.push(await cleared(two.cn, id))
      const first = newLeg()
      const second = newLeg()
      await two.settle()
      const one = await listed(two.kz, listOf(first, ids.slice(0, 2)))
      const other = await listed(two.kz, listOf(second, ids.slice(1)))
      await two.kz.take({
        record: 'arrival',
        content: anArrival({ leg: { ...first, arrivedAt: '2026-11-22T05:00:00Z' } }),
      })
      await two.kz.take({
        record: 'discrepancy',
        content: aDiscrepancy({ unit: { kind: 'container', id: ids[0] ?? '' }, leg: first, fact: 'seal-broken' }),
      })
      expect(await two.kz.post(`/api/v1/legs/${one}/close`)).toEqual({ used: 2 })
      expect(await two.kz.post(`/api/v1/legs/${other}/close`)).toEqual({ used: 1 })
      await two.settle()
      for (const { key } of all) expect((await sentAbout(two.cn, key))[0]?.usedAt).toMatch(/Z$/)
    },
  )

  test('is reloaded from three into two: the reloading travels with the departure it belongs to', async () => {
    const onward = newLeg({
      gauge: '1520',
      trainIndex: '7077-114-7000',
      from: { esr: '707701', country: 'KZ' },
      to: { unLocode: 'CNHRS', country: 'CN' },
    })
    const broad = [newLeg(), newLeg(), newLeg()]
    const reloading = aReloading({ id: 'RL-32', fromLegs: broad, toLegs: [onward, newLeg()] })
    expect(await two.kz.submit({ record: 'reloading', content: reloading })).toMatchObject({ taken: 1 })
    const leg = { ...onward, departedAt: '2026-11-22T08:00:00.000Z' }
    await two.kz.take({ record: 'departure', content: { ...aDeparture(), leg } })
    await two.settle()
    const told = await legOf(two.cn, onward.transferListNumber ?? '', 'partner')
    const { list } = (await two.cn.get(`/api/v1/legs/${told.key}`)) as { list: Departure }
    expect(list.reloadings).toMatchObject([{ id: 'RL-32', moves: [{ equipmentId: 'XDKU1000018' }] }])
  })
})

describe('a temporary declaration', () => {
  test('is drawn down by three trains, and a train that is corrected draws anew', async () => {
    const id = newNumber()
    const note = { number: '30999001', departureStation: { esr: '700007', country: 'KZ' }, date: '2026-11-08' }
    const { about: key = '' } = await two.kz.take(
      declaration(id, 1, {
        declaration: {
          temporary: { netMass: '5000000', validUntil: '2026-12-31' },
          totalGrossMass: undefined,
          totalNetMass: '5000000',
          totalPackageQuantity: undefined,
          goodsItemQuantity: 1,
          invoiceAmount: undefined,
        },
        consignment: {
          notes: undefined,
          exportCountry: 'KZ',
          destinationCountry: 'CN',
          departureStation: { esr: '700007', country: 'KZ' },
          destinationStation: { unLocode: 'CNXIA', country: 'CN' },
        },
        customsDecision: { releaseDateTime: '2026-11-01T04:00:00.000Z' },
        equipment: [],
        items: [
          {
            sequence: 1,
            commodityCode: '100199',
            description: { text: 'Пшеница', language: 'ru' },
            netMass: '5000000',
          },
        ],
      }),
    )
    const balance = async () =>
      (
        await two.kz.get<{
          balance: { drawnKg: string; leftKg: string; legs: number; warnings: readonly { code: string }[] }
        }>(`/api/v1/declarations/${key}`)
      ).balance
    expect(await balance()).toMatchObject({ drawnKg: '0', leftKg: '5000000' })
    const grain = (leg: RailwayList['leg'], boxes: number) => ({
      leg: { ...leg, departedAt: leg.plannedDepartureAt ?? '' },
      wagons: [],
      containers: Array.from({ length: boxes }, (_, index) => ({
        id: `XDKU${2000000 + index}`,
        fullnessCode: '5' as const,
        grossMass: '1002300',
        tareMass: '2300',
        notes: [note],
        declarationIds: [id],
      })),
    })
    const legs = ['2026-11-09', '2026-11-14', '2026-11-18'].map((day) =>
      newLeg({
        from: { esr: '707701', country: 'KZ' },
        to: { unLocode: 'CNHRS', country: 'CN' },
        transferListDate: day,
        plannedDepartureAt: `${day}T08:00:00.000Z`,
      }),
    )
    for (const leg of legs) await two.kz.take({ record: 'departure', content: grain(leg, 2) })
    expect(await balance()).toMatchObject({ drawnKg: '6000000', leftKg: '-1000000', legs: 3 })
    expect((await balance()).warnings.map(({ code }) => code)).toEqual(['clearance/balance-overdrawn'])
    const [, , last] = legs
    if (last) await two.kz.take({ record: 'departure', content: grain(last, 1) })
    expect(await balance()).toMatchObject({ drawnKg: '5000000', leftKg: '0', legs: 3, warnings: [] })
    await two.settle()
    // The partner is told which declaration each box belongs to, and keeps no balance of ours.
    const told = await legOf(two.cn, legs[0]?.transferListNumber ?? '', 'partner')
    expect(told).toMatchObject({ loaded: 2, withData: 2 })
  })
})
