/** A declaration from the national system of one side to the screen of the other, and every fate it can have. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HomeDeclaration } from '../../src/clearance/index.ts'
import type { MessageFate, MessageProof } from '../../src/exchange/index.ts'
import { aCancellation, aHomeDeclaration, anArrival, aRailwayList, type DeepPartial } from '../builders/clearance.ts'
import { startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import {
  atHome,
  customsControl,
  declaration,
  newNumber,
  type ReceivedDetail,
  received,
  sentAbout,
  typesAbout,
} from './journey.ts'

let two: TwoTestNodes
beforeAll(async () => {
  two = await startNodes()
})
afterAll(() => two?.close())

/** Hands a declaration over in China. @returns its key at home */
async function handOver(id: string, versionId = 1, overrides: DeepPartial<HomeDeclaration> = {}): Promise<string> {
  const { about } = await two.cn.take(declaration(id, versionId, overrides))
  await two.settle()
  return about ?? ''
}

/** What the post in Kazakhstan is shown. */
const atPartner = (id: string): Promise<ReceivedDetail | undefined> => received(two.kz, id)

describe('a clearance', () => {
  clause(
    ['STOP-2021/2.1-r1', 'STOP-2021/2.2-r1'],
    'handed over by HTTP reaches the partner, and both sides know its fate to the end',
    async () => {
      const id = newNumber()
      const key = await handOver(id)
      const shown = await atPartner(id)
      expect(shown).toMatchObject({ declarationId: id, version: 1, state: 'shown', gap: false, usedAt: null })
      expect(shown?.versions[0]?.content).toMatchObject({ declaration: { id, totalGrossMass: '21200' } })

      const [sent] = await sentAbout(two.cn, key)
      expect(sent).toMatchObject({ type: 'EXP-CLR', mode: 'live', state: 'received', answer: 'accepted', usedAt: null })
      const here = await two.cn.get<MessageFate & MessageProof>(`/api/v1/messages/${sent?.id}`)
      const there = await two.kz.get<MessageFate & MessageProof>(`/api/v1/messages/${sent?.id}`)
      expect(there).toMatchObject({ direction: 'in', state: 'accepted', digest: here.digest })
      expect(there.message).toBe(here.message)
      expect(there.receipt).toBe(here.receipt)

      // The train came, was dealt with, and its leg is closed: the sender hears that the data were used.
      const { about: leg } = await two.kz.take({ record: 'railway-list', content: aRailwayList() })
      await two.kz.take({ record: 'arrival', content: anArrival() })
      expect(await two.kz.post(`/api/v1/legs/${leg}/close`)).toEqual({ used: 1 })
      await two.settle()
      const [used] = await sentAbout(two.cn, key)
      expect(used?.usedAt).toMatch(/Z$/)
      expect((await atPartner(id))?.usedAt).toMatch(/Z$/)
    },
  )

  test('handed over again changes nothing and sends nothing', async () => {
    const id = newNumber()
    const key = await handOver(id)
    const again = await two.cn.submit(declaration(id), declaration(id))
    expect(again).toMatchObject({ taken: 0, unchanged: 2, refused: 0 })
    await two.settle()
    expect(await typesAbout(two.cn, key)).toEqual(['EXP-CLR'])
  })

  test('with other content under its version is refused; with a higher version it amends', async () => {
    const id = newNumber()
    const key = await handOver(id)
    const other = { declaration: { totalGrossMass: '21300' } }
    const conflict = await two.cn.submit(declaration(id, 1, other))
    expect(conflict).toMatchObject({ taken: 0, refused: 1 })
    expect(conflict.results[0]?.problems[0]).toMatchObject({
      code: 'clearance/version-conflict',
      pointer: '/declaration/versionId',
    })
    await handOver(id, 2, other)
    expect(await typesAbout(two.cn, key)).toEqual(['AMD', 'EXP-CLR'])
    const shown = await atPartner(id)
    expect(shown).toMatchObject({ version: 2, state: 'shown' })
    expect(shown?.versions.map(({ version }) => version)).toEqual([2, 1])

    // What is older than the newest known comes too late to matter.
    expect(await two.cn.submit(declaration(id, 1))).toMatchObject({ taken: 0, unchanged: 1, refused: 0 })
    await two.settle()
    expect((await atPartner(id))?.version).toBe(2)
  })

  test('that is cancelled is shown as cancelled, and a higher version brings it back', async () => {
    const id = newNumber()
    const key = await handOver(id)
    await two.cn.take({ record: 'cancellation', content: aCancellation({ declaration: { id, versionId: 2 } }) })
    await two.settle()
    expect(await atPartner(id)).toMatchObject({ version: 2, state: 'cancelled' })
    await handOver(id, 3)
    expect(await typesAbout(two.cn, key)).toEqual(['AMD', 'CNL', 'EXP-CLR'])
    expect(await atPartner(id)).toMatchObject({ version: 3, state: 'shown' })
  })

  test('that becomes withheld is withdrawn once, and the partner is not told why', async () => {
    const id = newNumber()
    const key = await handOver(id)
    await handOver(id, 2, { exclusion: { ownLaw: true } })
    await handOver(id, 3, { exclusion: { ownLaw: true } })
    expect(await typesAbout(two.cn, key)).toEqual(['CNL', 'EXP-CLR'])
    const shown = await atPartner(id)
    expect(shown).toMatchObject({ state: 'cancelled' })
    expect(Object.keys(shown?.versions[0]?.content ?? {}).sort()).toEqual(['customsDecision', 'declaration'])
    expect(shown?.versions[0]?.content.customsDecision).toMatchObject({ statusCode: 'withdrawn' })
    expect(await two.kz.placesOf('own-law')).toEqual([])
    expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'withheld', ground: 'clearance/own-law' })
  })

  test('with a defective number goes, and the warning is shown at both ends', async () => {
    const id = newNumber()
    const equipment = [{ id: 'XDKU1000019', fullnessCode: '5' as const }]
    const items = aHomeDeclaration().items.map((item) => ({ ...item, equipmentIds: ['XDKU1000019'] }))
    const key = await handOver(id, 1, { equipment, items })
    expect((await atHome(two.cn, key)).warnings).toBeGreaterThan(0)
    const shown = await atPartner(id)
    expect(shown?.versions[0]?.warnings.map(({ code }) => code)).toContain('clearance/container-check-digit')
  })
})

/** What must never cross the border, each with the sign that says so. */
const forbidden: ReadonlyArray<readonly [string, string, DeepPartial<HomeDeclaration>]> = [
  ['goods of natural persons for personal use', 'clearance/personal-use', { exclusion: { personalUse: 'yes' } }],
  ['post', 'clearance/postal', { exclusion: { postal: true } }],
  ['state secrets', 'clearance/state-secret', { exclusion: { stateSecret: true } }],
  ['what own law forbids', 'clearance/own-law', { exclusion: { ownLaw: true } }],
  [
    'a parcel list of natural persons',
    'clearance/personal-use',
    { parties: { consignee: { name: undefined, kind: 'natural-persons' } } },
  ],
]

describe('what is withheld', () => {
  clause(
    ['STOP-2021/2.3-r1', 'STOP-2021/2.3-r2', 'STOP-2021/2.5-r1', 'STOP-2021/6.4'],
    'never leaves: the partner’s database holds no trace of it, and home lists each with ground and clause',
    async () => {
      for (const [, ground, overrides] of forbidden) {
        const id = newNumber()
        const container = `XDKU${id.slice(-7)}`
        const seal = `SECRET${id.slice(-4)}`
        const key = await handOver(id, 1, {
          ...overrides,
          equipment: [{ id: container, seals: [{ id: seal }] }],
          items: aHomeDeclaration().items.map((item) => ({
            ...item,
            description: { text: `不可告人 ${id}`, language: 'zh' },
            equipmentIds: [container],
          })),
        })
        expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'withheld', ground, sentVersion: null })
        expect((await atHome(two.cn, key)).clause).toMatch(/^STOP-2021\/(2\.3-r[12]|2\.5-r1|6\.4)$/)
        expect(await sentAbout(two.cn, key)).toEqual([])
        expect(await two.cn.placesOf(id)).not.toEqual([])
        for (const trace of [id, container, seal, key]) expect(await two.kz.placesOf(trace)).toEqual([])
        // A query of the partner gets what an unknown number gets.
        expect(await atPartner(id)).toBeUndefined()
      }
    },
  )

  clause(
    ['STOP-2021/2.3-r1', 'STOP-2021/2.1-r1'],
    'in part leaves the rest with new item numbers and sums, and nothing tells that more there was',
    async () => {
      const id = newNumber()
      const [first, second] = aHomeDeclaration().items
      const items = [
        { ...first, equipmentIds: ['XDKU1000044'], exclusion: { personalUse: 'yes' as const } },
        { ...second, equipmentIds: ['XDKU1000018'] },
      ] as HomeDeclaration['items']
      const [box] = aHomeDeclaration().equipment
      const equipment = [
        { ...box, id: 'XDKU1000044', packageQuantity: 200, seals: [{ id: 'HOME-ONLY-1' }] },
        { ...box, id: 'XDKU1000018', packageQuantity: 100 },
      ] as HomeDeclaration['equipment']
      const key = await handOver(id, 1, { items, equipment })
      expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'partial' })
      expect((await atHome(two.cn, key)).versions[0]?.leftOut).toMatchObject([
        { sequence: 1, ground: 'clearance/personal-use' },
      ])
      const shown = await atPartner(id)
      expect(shown?.versions[0]?.content).toMatchObject({
        items: [{ sequence: 1, commodityCode: second?.commodityCode }],
        equipment: [{ id: 'XDKU1000018' }],
      })
      const head: Partial<HomeDeclaration['declaration']> = shown?.versions[0]?.content.declaration ?? {}
      // The totals that a declarant stated for all lines would tell of the line that stayed.
      expect(head).toMatchObject({ goodsItemQuantity: 1, totalGrossMass: '9000', totalNetMass: '8400' })
      expect(head).toMatchObject({ totalPackageQuantity: 100 })
      expect(head.invoiceAmount).toBeUndefined()
      for (const trace of ['XDKU1000044', 'HOME-ONLY-1', '分体式空调', '21200', '68000'])
        expect(await tracesAbout(trace, id)).toEqual([])
    },
  )

  clause('STOP-2021/2.3-r1', 'leaves its container bare in the departure', async () => {
    const id = newNumber()
    await handOver(id, 1, { exclusion: { personalUse: 'yes' }, equipment: [{ id: 'XDKU1000099' }] })
    const list = aRailwayList({
      leg: { trainNumber: 'X9001', transferListNumber: 'PL-900' },
      wagons: [{ sequence: 1, number: '5270011', loadState: 'loaded' }],
      containers: [{ id: 'XDKU1000099', fullnessCode: '5', onWagon: '5270011', declarationIds: [id] }],
    })
    const { about: leg } = await two.cn.take({ record: 'railway-list', content: list })
    await two.cn.post(`/api/v1/legs/${leg}/departure`, { departedAt: '2026-11-22T03:20:00.000Z' })
    await two.settle()
    const { items } = await two.kz.get<{ items: ReadonlyArray<{ key: string; leg: object }> }>(
      '/api/v1/legs?source=partner',
    )
    const theirs = items.find((each) => JSON.stringify(each.leg).includes('PL-900'))
    const shown = await two.kz.get<{ withoutData: number; units: ReadonlyArray<{ id: string; matches: unknown[] }> }>(
      `/api/v1/legs/${theirs?.key}`,
    )
    expect(shown).toMatchObject({ listed: 1, loaded: 1, withData: 0, withoutData: 1 })
    expect(shown.units.find((unit) => unit.id === 'XDKU1000099')?.matches).toEqual([])
    expect(await two.kz.placesOf(id)).toEqual([])
    expect(await two.kz.placesOf('XDKU1000099')).not.toEqual([])
  })
})

/** Places at the partner that hold a trace, in what belongs to one declaration. */
async function tracesAbout(trace: string, id: string): Promise<readonly string[]> {
  const rows = await two.kz.rows(sql<{ content: unknown; bytes: Buffer }>`
    select v.content, p.bytes from clearance.received r
    join clearance.received_version v on v.received = r.key
    join exchange.part p on p.message_id = v.message and p.direction = 'in'
    where r.declaration_id = ${id}`)
  expect(rows.length).toBeGreaterThan(0)
  return rows
    .flatMap(({ content, bytes }) => [JSON.stringify(content), bytes.toString()])
    .filter((text) => text.includes(trace))
}

describe('what is held', () => {
  const unknown: DeepPartial<HomeDeclaration> = { exclusion: { personalUse: 'unknown' } }

  clause(
    'STOP-2021/2.5-r2',
    'waits for an officer; released, it goes; withheld, it stays, and the reason is kept',
    async () => {
      const id = newNumber()
      const key = await handOver(id, 1, unknown)
      expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'held', ground: 'clearance/personal-use-unknown' })
      expect(await sentAbout(two.cn, key)).toEqual([])
      const released = await two.cn.post(`/api/v1/declarations/${key}/decision`, {
        decision: 'release',
        reason: 'contract 44 seen',
      })
      expect(released).toEqual({ outcome: 'eligible' })
      await two.settle()
      expect(await atPartner(id)).toMatchObject({ state: 'shown', version: 1 })
      expect(await two.kz.placesOf('contract 44 seen')).toEqual([])

      const other = newNumber()
      const otherKey = await handOver(other, 1, unknown)
      await two.cn.post(`/api/v1/declarations/${otherKey}/decision`, { decision: 'withhold', reason: 'own use' })
      await two.settle()
      expect(await atHome(two.cn, otherKey)).toMatchObject({
        outcome: 'withheld',
        ground: 'clearance/withheld-by-officer',
      })
      expect(await two.kz.placesOf(other)).toEqual([])
      // Decided is decided.
      const again = await two.cn.call<{ code: string }>('POST', `/api/v1/declarations/${otherKey}/decision`, {
        json: { decision: 'release', reason: 'changed my mind' },
      })
      expect(again).toMatchObject({ status: 409, body: { code: 'clearance/declaration-not-held' } })
    },
  )

  clause('STOP-2021/6.4', 'in one line and secret in another is released without the secret', async () => {
    const id = newNumber()
    const [box] = aHomeDeclaration().equipment
    const equipment = ['XDKU1000060', 'XDKU1000075'].map((each) => ({
      ...box,
      id: each,
    })) as HomeDeclaration['equipment']
    const items = aHomeDeclaration().items.map((item, index) => ({
      ...item,
      equipmentIds: [equipment[index]?.id ?? ''],
      exclusion: index === 0 ? { stateSecret: true } : { personalUse: 'unknown' as const },
    }))
    const key = await handOver(id, 1, { items, equipment })
    expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'held', ground: 'clearance/personal-use-unknown' })
    expect(
      await two.cn.post(`/api/v1/declarations/${key}/decision`, { decision: 'release', reason: 'all of it was seen' }),
    ).toEqual({ outcome: 'partial' })
    await two.settle()
    expect((await atPartner(id))?.versions[0]?.content).toMatchObject({ items: [{ commodityCode: '9403609990' }] })
    expect(await two.kz.placesOf('XDKU1000060')).toEqual([])
  })

  test('in a later version leaves what the partner holds until an officer has answered', async () => {
    const id = newNumber()
    const key = await handOver(id)
    await handOver(id, 2, unknown)
    expect(await atHome(two.cn, key)).toMatchObject({ outcome: 'held', sentVersion: 1 })
    expect(await atPartner(id)).toMatchObject({ version: 1, state: 'shown' })
    await two.cn.post(`/api/v1/declarations/${key}/decision`, { decision: 'release', reason: 'seen' })
    await two.settle()
    expect(await typesAbout(two.cn, key)).toEqual(['AMD', 'EXP-CLR'])
    expect(await atPartner(id)).toMatchObject({ version: 2, state: 'shown' })
  })
})

describe('reading what a partner sent', () => {
  clause('STOP-2021/6.1-r1', 'needs its own scope and the one purpose that is allowed, said out loud', async () => {
    const id = newNumber()
    await handOver(id)
    const refused = await two.kz.call<{ code: string; clause: string }>('GET', `/api/v1/received?declarationId=${id}`)
    expect(refused).toMatchObject({ status: 400, body: { code: 'access/purpose-missing' } })
    const tax = await two.kz.call<{ code: string }>('GET', `/api/v1/received?declarationId=${id}`, {
      headers: { 'dostyk-purpose': 'tax-audit' },
    })
    expect(tax).toMatchObject({ status: 400, body: { code: 'access/purpose-missing' } })
    expect(
      await two.kz.call('GET', '/api/v1/received', { token: 'dostyk_none', headers: customsControl }),
    ).toMatchObject({
      status: 401,
    })
    const reads = async (): Promise<number> =>
      (await two.kz.audit()).filter(({ type }) => type === 'received.read').length
    const before = await reads()
    await atPartner(id)
    expect(await reads()).toBeGreaterThan(before)
  })
})
