/** What may pass when: the channel from closed to suspended, and what becomes of everything that waits on the way. */
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { SubmissionResult } from '../../src/clearance/index.ts'
import type { Refusal } from '../../src/kernel/index.ts'
import type { ChannelState } from '../../src/law/index.ts'
import { agreeConditions, openChannel } from '../../src/platform/demo/introduce.ts'
import { changeChannel } from '../../src/platform/node.ts'
import { aDeparture, aDiscrepancy, anArrival, aRailwayList } from '../builders/clearance.ts'
import { eventually, type JourneyNode, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { atHome, declaration, newNumber, received, sentAbout, typesAbout } from './journey.ts'

let two: TwoTestNodes
beforeAll(async () => {
  two = await startNodes({ stage: 'approved' })
})
afterAll(() => two?.close())

const other = (node: JourneyNode): JourneyNode => (node === two.cn ? two.kz : two.cn)
const goTo = (node: JourneyNode, state: ChannelState): Promise<void> =>
  openChannel(node.services, other(node).services, state)
const both = async (state: ChannelState): Promise<void> => {
  await goTo(two.kz, state)
  await goTo(two.cn, state)
}
/** Longer than a node takes to look for what waits and to try it. */
const aWhile = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2500))
const outcomes = async (node: JourneyNode, mode: string): Promise<Readonly<Record<string, number>>> => {
  const rows = await node.rows(
    sql<{ state: string; count: number }>`select state, count(*)::int as count from exchange.outbound
      where mode = ${mode} group by state`,
  )
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

/** Handed over while the channel was closed: sent when production opens, and at no time before. */
const early = newNumber()

describe('before the Technical Conditions are approved', () => {
  clause(
    ['STOP-2021/4-r3', 'STOP-2021/4-r4', 'STOP-2021/2.4-r2'],
    'production is refused with the clause, and nothing is signed',
    async () => {
      const act = { digest: 'none', persons: [] }
      await goTo(two.cn, 'test')
      const refused = await changeChannel(two.cn.services, 'KZ-KGD', { to: 'production', reason: 'x', act }, 'test')
      expect(refused).toMatchObject({ ok: false, refusal: { code: 'law/working-group-missing' } })
      expect((refused as { refusal: Refusal }).refusal.clause).toMatch(/^STOP-2021\//)
      await goTo(two.cn, 'closed')
    },
  )

  test('what is handed over is taken and decided, and waits', async () => {
    const { about = '' } = await two.cn.take(declaration(early))
    await two.cn.take({ record: 'departure', content: aDeparture() })
    await aWhile()
    expect(await atHome(two.cn, about)).toMatchObject({
      mode: 'live',
      outcome: 'eligible',
      waiting: true,
      sentVersion: null,
    })
    expect(await outcomes(two.cn, 'live')).toEqual({})
    expect(await outcomes(two.cn, 'test')).toEqual({})
  })
})

/** Sent and taken in test. */
const tried = newNumber()
/** Signed in test and not delivered when the test ended. */
const stuck = newNumber()

describe('in test', () => {
  clause('STOP-2021/4-r4', 'what is handed over crosses as test data and is never shown as live', async () => {
    await agreeConditions(two.kz.services, two.cn.services)
    await agreeConditions(two.cn.services, two.kz.services)
    await both('test')
    expect(await two.cn.submit(declaration(tried))).toMatchObject({ mode: 'test', taken: 1 })
    await two.settle()
    expect(await received(two.kz, tried, 'test')).toMatchObject({ mode: 'test', state: 'shown' })
    expect(await received(two.kz, tried, 'live')).toBeUndefined()
    expect(await received(two.kz, early, 'test')).toBeUndefined()
    const legs = await two.kz.get<{ items: unknown[] }>('/api/v1/legs?mode=live')
    expect(legs.items).toEqual([])
  })

  clause('STOP-2021/4-r4', 'what waits when production opens is parked and never becomes live', async () => {
    two.cut()
    const { about = '' } = await two.cn.take(declaration(stuck))
    await both('production')
    two.restore()
    await two.settle()
    const [parked] = await sentAbout(two.cn, about)
    expect(parked).toMatchObject({ mode: 'test', state: 'parked', lastOutcome: 'MODE_CLOSED' })
    // Nobody can bring it to life, neither by sending it again nor by waiting.
    await two.cn.post(`/api/v1/messages/${parked?.id}/resend`, { reason: 'try' })
    await aWhile()
    expect(await two.cn.get(`/api/v1/messages/${parked?.id}`)).toMatchObject({ mode: 'test', state: 'parked' })
    expect(await received(two.kz, stuck, 'live')).toBeUndefined()
    expect(await received(two.kz, stuck, 'test')).toBeUndefined()
    expect(await received(two.kz, tried, 'live')).toBeUndefined()
  })

  test('a submission that began stays a test to its end, though production opens meanwhile', async () => {
    await both('suspended')
    await both('test')
    const first = newNumber()
    const last = newNumber()
    let release = (): void => {}
    const opened = new Promise<void>((resolve) => {
      release = resolve
    })
    // More than one batch, so that the first records are committed while the rest is still on its way.
    const fill = Array.from({ length: 120 }, () => JSON.stringify(declaration(newNumber())))
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        const write = (text: string): void => controller.enqueue(new TextEncoder().encode(`${text}\n`))
        write([JSON.stringify(declaration(first)), ...fill].join('\n'))
        await opened
        write(JSON.stringify(declaration(last)))
        controller.close()
      },
    })
    const answer = fetch(new URL('/api/v1/submissions', two.cn.httpUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${two.cn.token}`, 'content-type': 'application/x-ndjson' },
      body,
      duplex: 'half',
    } as RequestInit)
    expect(await eventually(async () => (await received(two.kz, first, 'test')) !== undefined)).toBe(true)
    await both('production')
    release()
    expect((await (await answer).json()) as SubmissionResult).toMatchObject({ mode: 'test', taken: 122, refused: 0 })
    await aWhile()
    expect(await two.cn.placesOf(last)).not.toEqual([])
    expect(await two.kz.placesOf(last)).toEqual([])
    expect(await received(two.kz, first, 'live')).toBeUndefined()
  })
})

describe('in production', () => {
  clause(
    'STOP-2021/2.2-r1',
    'what waited for the channel is signed and sent: declarations and the train that left',
    async () => {
      await two.settle()
      expect(await received(two.kz, early, 'live')).toMatchObject({ state: 'shown' })
      const legs = await two.kz.get<{ items: ReadonlyArray<{ source: string; withData: number }> }>(
        '/api/v1/legs?mode=live',
      )
      expect(legs.items).toMatchObject([{ source: 'partner', loaded: 1, withData: 1 }])
    },
  )

  clause(
    ['STOP-2021/2.2-r1', 'STOP-2021/4-r4'],
    'a suspended channel stops everything, and everything goes when it opens again',
    async () => {
      const id = newNumber()
      await two.cn.take(declaration(id, 1, { equipment: [{ id: 'XDKU1000018' }] }))
      await two.settle()
      const { about: leg } = await two.kz.take({ record: 'railway-list', content: aRailwayList() })
      await both('suspended')
      const during = newNumber()
      const { about: key = '' } = await two.cn.take(declaration(during))
      const departed = aDeparture({ leg: { trainNumber: 'X8002', transferListNumber: 'PL-115' } })
      const { about: departure = '' } = await two.cn.take({ record: 'departure', content: departed })
      const { about: arrival = '' } = await two.kz.take({ record: 'arrival', content: anArrival() })
      const { about: difference = '' } = await two.kz.take({ record: 'discrepancy', content: aDiscrepancy() })
      const { used } = await two.kz.post<{ used: number }>(`/api/v1/legs/${leg}/close`)
      expect(used).toBeGreaterThan(0)
      await aWhile()
      for (const [node, about] of [
        [two.cn, key],
        [two.cn, departure],
        [two.kz, arrival],
        [two.kz, difference],
      ] as const)
        expect(await sentAbout(node, about)).toEqual([])
      await both('production')
      await eventually(async () => (await sentAbout(two.kz, difference)).length > 0)
      await two.settle()
      expect(await typesAbout(two.cn, key)).toEqual(['EXP-CLR'])
      expect(await typesAbout(two.cn, departure)).toEqual(['DEP'])
      expect(await typesAbout(two.kz, arrival)).toEqual(['ARR'])
      expect(await typesAbout(two.kz, difference)).toEqual(['DSC'])
      expect((await outcomes(two.kz, 'live'))['received']).toBeGreaterThan(0)
      const [first] = await two.cn.rows(
        sql<{ used: number }>`select count(used_at)::int as used from exchange.outbound`,
      )
      expect(first?.used).toBe(used)
    },
  )

  clause('STOP-2021/2.2-r1', 'a partner that has closed its side is tried until it opens', async () => {
    await goTo(two.kz, 'suspended')
    const id = newNumber()
    const { about = '' } = await two.cn.take(declaration(id))
    await eventually(async () => ((await sentAbout(two.cn, about))[0]?.attempts ?? 0) > 1)
    expect((await sentAbout(two.cn, about))[0]).toMatchObject({ state: 'queued', lastOutcome: 'LINK_CLOSED' })
    await goTo(two.kz, 'production')
    await two.settle()
    expect((await sentAbout(two.cn, about))[0]).toMatchObject({ state: 'received', answer: 'accepted' })
  })
})

describe('the term of the agreement', () => {
  afterEach(() => vi.useRealTimers())

  clause('STOP-2021/9.2-r3', 'warns before its last day and after it, and the channel stays open', async () => {
    for (const [day, expected] of [
      ['2026-11-23T12:00:00Z', 'law/term-readings-part'],
      ['2027-02-05T12:00:00Z', 'law/term-runs-uncertain'],
    ] as const) {
      vi.useFakeTimers({ toFake: ['Date'], now: new Date(day) })
      two.cn.services.refresh()
      const { decision } = await two.cn.services.gate('KZ-KGD')
      expect(decision.ok && decision.value.mode).toBe('live')
      expect(decision.ok && decision.value.warnings.map(({ code }) => code)).toEqual([expected])
    }
  })
})
