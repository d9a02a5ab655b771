/** Days of rail work of which the lists tell less than one would wish: bulk without units, boxes that roll and return. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  ConsignmentNoteReference,
  HomeDeclaration,
  ListedContainer,
  ListedWagon,
  RailRecordRow,
  RailwayList,
} from '../../src/clearance/index.ts'
import { aHomeDeclaration, type DeepPartial } from '../builders/clearance.ts'
import { type JourneyNode, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { atHome, customsControl, newNumber } from '../journeys/journey.ts'

let two: TwoTestNodes
beforeAll(async () => {
  two = await startNodes()
})
afterAll(() => two?.close())

interface Counts {
  readonly listVersion: number
  readonly listed: number
  readonly withData: number
  readonly withoutData: number
}
const countsOf = (node: JourneyNode, leg: string): Promise<Counts> => node.get(`/api/v1/legs/${leg}`)

let listNumber = 7000
const kazakh = { esr: '707701', country: 'KZ' }
const chinese = { unLocode: 'CNHRS', country: 'CN' }
const legOf = (way: 'west' | 'east', day: string): RailwayList['leg'] => {
  listNumber += 1
  const [from, to] = way === 'west' ? [chinese, kazakh] : [kazakh, chinese]
  const plannedDepartureAt = `${day}T06:00:00.000Z`
  return { transferListNumber: String(listNumber), transferListDate: day, from, to, plannedDepartureAt }
}
async function list(
  node: JourneyNode,
  leg: RailwayList['leg'],
  containers: readonly ListedContainer[],
  wagons: readonly ListedWagon[] = [],
): Promise<string> {
  return (await node.take({ record: 'railway-list', content: { leg, containers, wagons } })).about ?? ''
}
const depart = (node: JourneyNode, leg: string, departedAt: string) =>
  node.post<{ warnings: ReadonlyArray<{ code: string }> }>(`/api/v1/legs/${leg}/departure`, { departedAt })

/** Goods in bulk from Kazakhstan: no container, no wagon, as they were declared inland. */
async function bulk(overrides: DeepPartial<HomeDeclaration> = {}): Promise<{ id: string; key: string }> {
  const id = newNumber()
  const [item] = aHomeDeclaration().items
  const { equipmentIds: _, ...line } = item ?? aHomeDeclaration().items[0]!
  const content = aHomeDeclaration({
    equipment: [],
    items: [line],
    ...overrides,
    declaration: { id, goodsItemQuantity: 1, officeId: '55302', ...overrides.declaration },
    consignment: {
      exportCountry: 'KZ',
      destinationCountry: 'CN',
      departureStation: kazakh,
      destinationStation: undefined,
      notes: undefined,
      ...overrides.consignment,
    },
  })
  const { about = '' } = await two.kz.take({ record: 'declaration', content })
  return { id, key: about }
}
/** A clearance of China for these boxes, which no note names. */
async function boxes(ids: readonly string[], releasedOn: string): Promise<string> {
  const id = newNumber()
  const content = aHomeDeclaration({
    declaration: { id, acceptanceDateTime: undefined },
    consignment: { notes: undefined },
    customsDecision: { releaseDateTime: `${releasedOn}T02:00:00.000Z` },
    equipment: ids.map((each) => ({ id: each })),
    items: aHomeDeclaration().items.map((each) => ({ ...each, equipmentIds: [...ids] })),
  })
  await two.cn.take({ record: 'declaration', content })
  return id
}
const wagons = (first: number, count: number, more: Partial<ListedWagon> = {}): ListedWagon[] =>
  Array.from({ length: count }, (_, at) => ({ number: String(first + at), loadState: 'loaded', ...more }))

describe('goods in bulk', () => {
  const note: ConsignmentNoteReference = { number: '30777001', date: '2026-11-18', departureStation: { esr: '668208' } }

  test('are found by the consignment note of their wagons', async () => {
    await bulk({ consignment: { notes: [note] } })
    const leg = await list(two.kz, legOf('east', '2026-11-21'), [], wagons(52900001, 24, { notes: [note] }))
    expect(await countsOf(two.kz, leg)).toMatchObject({ listed: 24, withData: 24 })
  })

  test('are found by the declaration that the railway’s note refers to, where the list names the note alone', async () => {
    const { id } = await bulk()
    const other = { ...note, number: '30777002' }
    const leg = await list(two.kz, legOf('east', '2026-11-21'), [], wagons(52910001, 6, { notes: [other] }))
    expect((await countsOf(two.kz, leg)).withData).toBe(0)
    const content = { note: other, wagons: [], containers: [], goods: [], declarationIds: [id] }
    await two.kz.take({ record: 'consignment-note', content })
    expect((await countsOf(two.kz, leg)).withData).toBe(6)
  })

  clause(
    'STOP-2021/1.2-r1',
    'have data on the receiving railway’s own list, by what the partner named at the hand-over',
    async () => {
      const { id, key } = await bulk({ declaration: { temporary: { netMass: '100000' } } })
      const units = wagons(52920001, 2, { netMass: '60000', declarationIds: [id] })
      const leg = legOf('east', '2026-11-21')
      const departed = await depart(two.kz, await list(two.kz, leg, [], units), '2026-11-21T06:10:00.000Z')
      expect(departed.warnings.map(({ code }) => code)).toContain('clearance/balance-overdrawn')
      await two.settle()
      const plain = units.map(({ number }): ListedWagon => ({ number, loadState: 'loaded' }))
      const there = await list(two.cn, { ...leg, transferListNumber: `CN-${leg.transferListNumber}` }, [], plain)
      expect(await countsOf(two.cn, there)).toMatchObject({ listed: 2, withData: 2 })
      // After the gauge break they stand in other wagons.
      const inland = {
        ...leg,
        transferListNumber: `IN-${leg.transferListNumber}`,
        from: chinese,
        to: { unLocode: 'CNURC' },
      }
      const moves = [{ fromWagons: ['52920001', '52920002'], toWagons: ['5270101', '5270102', '5270103'] }]
      const reloading = { id: `R-${id}`, station: chinese, fromLegs: [leg], toLegs: [inland], moves }
      await two.cn.take({ record: 'reloading', content: reloading })
      const after = await list(two.cn, inland, [], wagons(5270101, 3))
      expect(await countsOf(two.cn, after)).toMatchObject({ listed: 3, withData: 3 })
      expect(await two.cn.post(`/api/v1/legs/${there}/close`)).toEqual({ used: 1 })
      await two.settle()
      expect((await atHome(two.kz, key)).sentVersion).toBe(1)
    },
  )
})

describe('a box', () => {
  test('that rolled still has its data when the train of the others is closed', async () => {
    await boxes(['XDKU1000311', 'XDKU1000332'], '2026-11-20')
    await two.settle()
    const first = await list(two.kz, legOf('west', '2026-11-21'), [{ id: 'XDKU1000311' }])
    expect(await two.kz.post(`/api/v1/legs/${first}/close`)).toEqual({ used: 1 })
    const later = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10)
    const second = await list(two.kz, legOf('west', later), [{ id: 'XDKU1000332' }, { id: 'XDKU1000311' }])
    expect(await countsOf(two.kz, second)).toMatchObject({ withData: 1, withoutData: 1 })
  })

  test('that comes back undeclared has no data, though no note tells its trips apart', async () => {
    await boxes(['XDKU1000353'], '2026-11-01')
    const gone = await list(two.cn, legOf('west', '2026-11-03'), [{ id: 'XDKU1000353' }])
    await depart(two.cn, gone, '2026-11-03T06:00:00.000Z')
    expect(await countsOf(two.cn, gone)).toMatchObject({ withData: 1 })
    const again = await list(two.cn, legOf('west', '2026-11-19'), [{ id: 'XDKU1000353' }])
    expect(await countsOf(two.cn, again)).toMatchObject({ withData: 0, withoutData: 1 })
    await depart(two.cn, again, '2026-11-19T06:00:00.000Z')
    await two.settle()
    const { items } = await two.kz.get<{ items: ReadonlyArray<Counts & { departedAt: string }> }>(
      '/api/v1/legs?source=partner',
    )
    expect(items.find(({ departedAt }) => departedAt.startsWith('2026-11-19'))).toMatchObject({ withData: 0 })
  })
})

test('a list that was replaced changes nothing when it comes again; one version has one content', async () => {
  const leg = legOf('west', '2026-11-21')
  const [one, both] = [[{ id: 'XDKU1000374' }], [{ id: 'XDKU1000374' }, { id: 'XDKU1000395' }]]
  const key = await list(two.kz, leg, both)
  await list(two.kz, leg, one)
  const again = await two.kz.submit({ record: 'railway-list', content: { leg, containers: both, wagons: [] } })
  expect(again).toMatchObject({ unchanged: 1, results: [{ outcome: 'superseded' }] })
  expect(await countsOf(two.kz, key)).toMatchObject({ listVersion: 2, listed: 1 })
  const stated = { leg, listVersion: 2, containers: both, wagons: [] }
  expect((await two.kz.submit({ record: 'railway-list', content: stated })).results[0]).toMatchObject({
    outcome: 'refused',
    problems: [{ code: 'clearance/version-conflict', pointer: '/listVersion' }],
  })
})

clause(
  'STOP-2021/2.3-r1',
  'a line with a procedure for consumers stays at home, and no trace of it leaves',
  async () => {
    const id = newNumber()
    const ids = ['XDKU1000416', 'XDKU1000437']
    const items = aHomeDeclaration().items.map((item, at) => ({
      ...item,
      equipmentIds: [ids[at]],
      procedureCode: at === 0 ? '0110' : '9610',
      description: { text: `Consumer goods ${at}`, language: 'en' },
    }))
    const content = {
      ...aHomeDeclaration({ declaration: { id }, equipment: ids.map((each) => ({ id: each })) }),
      items,
    }
    const { about = '' } = await two.cn.take({ record: 'declaration', content })
    expect(await atHome(two.cn, about)).toMatchObject({ outcome: 'partial' })
    await two.settle()
    expect(await two.kz.placesOf('Consumer goods 0')).not.toEqual([])
    for (const trace of ['Consumer goods 1', 'XDKU1000437', '9610']) expect(await two.kz.placesOf(trace)).toEqual([])
  },
)

test('what the partner says of an arrival or a difference can be read, for customs control and on record', async () => {
  const unit = { kind: 'container', id: 'XDKU1000458' }
  const content = { unit, fact: 'seal-broken', observedAt: '2026-11-21T08:00:00.000Z' }
  await two.kz.take({ record: 'discrepancy', content })
  await two.settle()
  const path = '/api/v1/received-rail-records?record=discrepancy'
  expect((await two.cn.call('GET', path)).status).toBe(400)
  const { items } = await two.cn.get<{ items: readonly RailRecordRow[] }>(path, { headers: customsControl })
  expect(items[0]).toMatchObject({ partner: 'KZ-KGD', content })
  expect(await two.kz.get('/api/v1/rail-records?record=discrepancy')).toMatchObject({
    items: [{ partner: null, content }],
  })
  const [count] = await two.cn.rows(sql<{ n: number }>`select count(*)::int as n from clearance.rail_record`)
  expect(count?.n).toBeGreaterThan(0)
  expect((await two.cn.audit()).map(({ type }) => type)).toContain('received.read')
})
