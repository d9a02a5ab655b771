/** The same thing handed over or decided many times at once: it happens once, and nobody is told of a failure. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeclarationRow, LegRow, SubmissionResult } from '../../src/clearance/index.ts'
import { aCancellation, aDeparture, aDiscrepancy, anArrival, aRailwayList, aReloading } from '../builders/clearance.ts'
import {
  type HomeRecordToSubmit,
  type HttpAnswer,
  type RunningPart,
  startNodes,
  type TwoTestNodes,
} from '../builders/node.ts'
import { declaration, newNumber, received } from '../journeys/journey.ts'

let two: TwoTestNodes
let second: RunningPart
beforeAll(async () => {
  two = await startNodes()
  second = await two.cn.startSecond()
})
afterAll(async () => {
  await second?.stop()
  await two?.close()
})

const atOnce = 12

/** Hands the same over several times at the same moment, half of it to another process of the node. */
async function handOver(record: HomeRecordToSubmit): Promise<readonly HttpAnswer<SubmissionResult>[]> {
  const at = second.httpUrl
  const body = JSON.stringify(record)
  return await Promise.all(
    Array.from({ length: atOnce }, (_, index) =>
      two.cn.call<SubmissionResult>('POST', '/api/v1/submissions', { body, ...(index % 2 === 0 && { at }) }),
    ),
  )
}

const outcomes = (answers: readonly HttpAnswer<SubmissionResult>[]) =>
  answers.map(({ status, body }) => `${status} ${body.results?.[0]?.outcome}`).sort()

const onceAndUnchanged = (taken = '200 taken') =>
  [taken, ...Array.from({ length: atOnce - 1 }, () => '200 unchanged')].sort()

describe('identical records, at once, to two processes', () => {
  const leg = { ...aRailwayList().leg, transferListNumber: 'PL-RACE' }
  const departed = { ...aDeparture().leg, transferListNumber: 'PL-RACE-2' }
  const records: ReadonlyArray<readonly [string, HomeRecordToSubmit]> = [
    ['a declaration', declaration(newNumber())],
    ['a railway list', { record: 'railway-list', content: aRailwayList({ leg }) }],
    ['a departure', { record: 'departure', content: { ...aDeparture(), leg: departed } }],
    ['an arrival', { record: 'arrival', content: anArrival() }],
    ['a discrepancy', { record: 'discrepancy', content: aDiscrepancy() }],
    ['a reloading', { record: 'reloading', content: aReloading() }],
  ]

  test.each(records)('%s is taken once', async (_kind, record) => {
    const before = await messages()
    expect(outcomes(await handOver(record))).toEqual(onceAndUnchanged())
    expect((await messages()) - before).toBeLessThanOrEqual(1)
  })

  test('a cancellation is taken once', async () => {
    const id = newNumber()
    await two.cn.take(declaration(id))
    const content = aCancellation({ declaration: { id } })
    expect(outcomes(await handOver({ record: 'cancellation', content }))).toEqual(onceAndUnchanged('200 amended'))
    await two.settle()
    expect(await received(two.kz, id)).toMatchObject({ state: 'cancelled' })
  })

  test('versions that come all at once end with the newest, at both sides', async () => {
    const id = newNumber()
    const versions = Array.from({ length: atOnce }, (_, index) => index + 1)
    const answers = await Promise.all(
      versions.map((version) =>
        two.cn.call<SubmissionResult>('POST', '/api/v1/submissions', {
          body: JSON.stringify(declaration(id, version)),
        }),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(versions.map(() => 200))
    expect(answers.filter(({ body }) => body.refused > 0)).toEqual([])
    await two.settle()
    expect(await received(two.kz, id)).toMatchObject({ version: atOnce, state: 'shown', gap: false })
  })
})

const messages = async (): Promise<number> => {
  const [row] = await two.cn.rows(sql<{ count: number }>`select count(*)::int as count from exchange.outbound`)
  return row?.count ?? 0
}

/** The same act of an officer, several times at once: what each was told. */
async function act(path: string, json?: unknown): Promise<readonly string[]> {
  const answers = await Promise.all(
    Array.from({ length: atOnce }, () =>
      two.cn.call<{ code?: string }>('POST', path, json === undefined ? {} : { json }),
    ),
  )
  return answers.map(({ status, body }) => `${status} ${body.code ?? ''}`.trim()).sort()
}

const onceAnd = (refusal: string) => ['200', ...Array.from({ length: atOnce - 1 }, () => refusal)]

describe('one act of an officer, clicked many times', () => {
  test('decides a held declaration once', async () => {
    const id = newNumber()
    await two.cn.take(declaration(id, 1, { customsDecision: { releaseDateTime: undefined } }))
    const { items } = await two.cn.get<{ items: readonly DeclarationRow[] }>(`/api/v1/declarations?declarationId=${id}`)
    const [held] = items
    expect(held?.outcome).toBe('held')
    expect(await act(`/api/v1/declarations/${held?.key}/decision`, { decision: 'release', reason: 'seen' })).toEqual(
      onceAnd('409 clearance/declaration-not-held'),
    )
  })

  test('confirms a departure once and closes the leg once', async () => {
    const leg = { ...aRailwayList().leg, transferListNumber: 'PL-CLICK' }
    const { about: key } = await two.cn.take({ record: 'railway-list', content: aRailwayList({ leg }) })
    expect(await act(`/api/v1/legs/${key}/departure`, { departedAt: '2026-11-22T02:00:00Z' })).toEqual(
      onceAnd('409 clearance/leg-departed'),
    )
    await two.settle()
    const { items } = await two.kz.get<{ items: readonly LegRow[] }>('/api/v1/legs?source=partner&open=true')
    expect(items.filter((each) => each.leg.transferListNumber === 'PL-CLICK')).toHaveLength(1)
    expect(await act(`/api/v1/legs/${key}/close`)).toEqual(onceAnd('409 clearance/leg-closed'))
  })

  test('sends a parked message again once', async () => {
    await two.settle()
    const { about } = await two.cn.take(declaration(newNumber()))
    await two.settle()
    const [row] = await two.cn.rows(sql<{ id: string }>`
      update exchange.outbound set state = 'parked', last_outcome = 'KEY_UNKNOWN' where subject = ${about} returning id`)
    expect(await act(`/api/v1/messages/${row?.id}/resend`, { reason: 'the key is known now' })).toEqual(
      onceAnd('409 exchange/message-not-parked'),
    )
  })
})
