import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../tests/builders/database.ts'
import {
  asTest,
  china,
  createNode,
  kazakhstan,
  messageDraft,
  type TestNode,
  testId,
  testMessage,
  testNow,
  testPart,
} from '../../tests/builders/exchange.ts'
import { clause } from '../../tests/clause.ts'
import type { Transaction } from '../platform/db/index.ts'
import { placeOf } from './decide-inbound.ts'
import { readMessage } from './message.ts'
import { composeReceipt } from './receipt.ts'
import {
  claimHeadRuns,
  countRefusals,
  findStored,
  type InboundRow,
  markParked,
  markReceived,
  markRetried,
  noteRequest,
  parkMode,
  readParts,
  releaseLane,
  resendMessage,
  saveInbound,
  saveLinkState,
  saveOutbound,
  skipMessage,
} from './store.ts'

let testDatabase: TestDatabase
let kz: TestNode
beforeAll(async () => {
  testDatabase = await createTestDatabase()
  kz = await createNode(kazakhstan, china, testDatabase.database)
})
afterAll(() => testDatabase.drop())
beforeEach(async () => {
  // What earlier tests left waiting is out of the way; nothing in these tables can be deleted.
  await run((tx) =>
    sql`update exchange.outbound set state = 'skipped' where state in ('queued', 'waiting', 'parked')`.execute(tx),
  )
})

const link = { partner: 'CN-GACC', mode: 'live' } as const
const run = <Value>(work: (tx: Transaction) => Promise<Value>) => asTest(testDatabase.database, work)
const claim = (now = testNow) => run((tx) => claimHeadRuns(tx, link, now))
const minutes = (count: number): Date => new Date(testNow.getTime() + count * 60_000)
const newLane = (): string => randomUUID()

interface State {
  id: string
  seq: number
  state: string
  attempts: number
  last_outcome: string | null
  ref: string | null
  type: string
}
const laneStates = (lane: string) =>
  kz.rows<State>(sql`select id, seq, state, attempts, last_outcome, ref, type from exchange.outbound
    where lane = ${lane} order by seq, issued_at, id`)
const states = async (lane: string) => (await laneStates(lane)).map(({ seq, state }) => `${seq} ${state}`)

describe('the outbox', () => {
  test('gives the messages of a lane their places, over drafts and over transactions', async () => {
    const lane = newLane()
    const first = await kz.send({ a: 1 }, { lane })
    const both = await run((tx) => {
      const draft = {
        ...link,
        agreement: messageDraft().agreement,
        type: 'EXP-CLR',
        version: 1,
        subject: randomUUID(),
        lane,
        use: messageDraft().use,
        priority: 5,
        expiresAt: minutes(60),
      }
      return saveOutbound(tx, kz.node, [draft, { ...draft, lane: newLane() }, draft], testNow)
    })
    expect([first.seq, ...both.map(({ seq }) => seq)]).toEqual([1, 2, 1, 3])
  })

  test('signs what it stores: the message is readable and its part is as signed', async () => {
    const { id, digest } = await kz.send({ goods: 'drilling machine' })
    const [row] = await kz.rows<{ message: string; digest: string }>(
      sql`select message, digest from exchange.outbound where id = ${id}`,
    )
    const read = readMessage(row?.message ?? '')
    expect(read.ok && read.value.jws.digest).toBe(digest)
    expect(row?.digest).toBe(digest)
    const parts = (await run((tx) => readParts(tx, 'out', link, [id]))).get(id)
    expect(parts?.map(({ bytes }) => bytes.toString())).toEqual(['{"goods":"drilling machine"}'])
    expect(parts?.[0]?.salt.length).toBe(16)
    expect(read.ok && read.value.payload.parts[0]?.length).toBe(28)
  })

  test('leaves nothing behind when the business transaction rolls back', async () => {
    const lane = newLane()
    const failed = run(async (tx) => {
      const draft = {
        ...link,
        agreement: messageDraft().agreement,
        type: 'EXP-CLR',
        version: 1,
        subject: randomUUID(),
        lane,
        use: messageDraft().use,
        priority: 5,
        expiresAt: minutes(60),
        body: Buffer.from('{}'),
      }
      await saveOutbound(tx, kz.node, [draft], testNow)
      throw new Error('the record could not be kept')
    })
    await expect(failed).rejects.toThrow('the record could not be kept')
    expect(await states(lane)).toEqual([])
    expect((await kz.send({}, { lane })).seq).toBe(1)
  })

  test('gives a place in a lane to one message, however many compose for it at once', async () => {
    const lane = newLane()
    const held = kz.send({ first: true }, { lane })
    await held
    let second: Promise<unknown> | undefined
    await run(async (tx) => {
      const draft = {
        ...link,
        agreement: messageDraft().agreement,
        type: 'EXP-CLR',
        version: 1,
        subject: randomUUID(),
        lane,
        use: messageDraft().use,
        priority: 5,
        expiresAt: minutes(60),
      }
      await saveOutbound(tx, kz.node, [draft], testNow)
      second = kz.send({ second: true }, { lane }).catch((error: unknown) => error)
      await tx.executeQuery(sql`select pg_sleep(1.5)`.compile(tx))
    })
    expect(String(await second)).toMatch(/outbound_place/)
    expect(await states(lane)).toEqual(['1 queued', '2 queued'])
    expect((await kz.send({}, { lane })).seq).toBe(3)
  })

  test('dies rather than sign a body that no partner may take', async () => {
    const body = { text: 'x'.repeat(2 * 1024 * 1024) }
    await expect(kz.send(body)).rejects.toThrow(/Bug: a body fits a part/)
  })
})

describe('parts are payload', () => {
  clause('STOP-2021/6.1-r1', 'cannot be read or written by who does not say who acts and why', async () => {
    const { id } = await kz.send({ goods: 'secret' })
    const { pool } = testDatabase.database
    expect((await pool.query('select * from exchange.part')).rows).toEqual([])
    const insert = pool.query(
      `insert into exchange.part (direction, partner, mode, message_id, name, media_type, salt, bytes)
       values ('in', 'CN-GACC', 'live', $1, 'body', 'application/json', '', '')`,
      [id],
    )
    await expect(insert).rejects.toThrow(/row-level security/)
    expect((await run((tx) => readParts(tx, 'out', link, [id]))).size).toBe(1)
  })

  test('belong to one direction, partner and mode', async () => {
    const { id } = await kz.send({ a: 1 })
    expect((await run((tx) => readParts(tx, 'in', link, [id]))).size).toBe(0)
    expect((await run((tx) => readParts(tx, 'out', { partner: 'CN-GACC', mode: 'test' }, [id]))).size).toBe(0)
    expect((await run((tx) => readParts(tx, 'out', { partner: 'GE-RS', mode: 'live' }, [id]))).size).toBe(0)
  })
})

describe('claiming head runs', () => {
  test('gives each lane in its order, and lanes by urgency', async () => {
    const [slow, fast] = [newLane(), newLane()]
    const slow1 = await kz.send({}, { lane: slow, priority: 1 })
    const slow2 = await kz.send({}, { lane: slow, priority: 1 })
    const fast1 = await kz.send({}, { lane: fast, priority: 8 })
    expect((await claim()).map(({ id }) => id)).toEqual([fast1.id, slow1.id, slow2.id])
  })

  test('lets an urgent message pull the whole of its lane forward', async () => {
    const [mixed, middle] = [newLane(), newLane()]
    const mixed1 = await kz.send({}, { lane: mixed, priority: 1 })
    const middle1 = await kz.send({}, { lane: middle, priority: 5 })
    const mixed2 = await kz.send({}, { lane: mixed, priority: 9 })
    expect((await claim()).map(({ id }) => id)).toEqual([mixed1.id, mixed2.id, middle1.id])
  })

  test('lets waiting make up for priority, a minute for a step', async () => {
    const old = await kz.send({}, { priority: 1 })
    kz.now = minutes(5)
    const urgent = await kz.send({}, { priority: 5 })
    kz.now = testNow
    expect((await claim(minutes(5))).map(({ id }) => id)).toEqual([old.id, urgent.id])
  })

  test('brings the message, its parts and its expiry', async () => {
    const { id, digest } = await kz.send({ a: 1 }, { expiresAt: minutes(10) })
    const [queued] = await claim()
    expect(queued).toMatchObject({ id, digest, seq: 1, attempts: 0, expiresAt: minutes(10).toISOString() })
    expect(queued?.parts.map(({ name }) => name)).toEqual(['body'])
  })

  test('takes nothing of another mode or partner', async () => {
    await kz.send({}, { mode: 'test' })
    expect(await claim()).toEqual([])
    expect((await run((tx) => claimHeadRuns(tx, { ...link, mode: 'test' }, testNow))).length).toBe(1)
  })

  test('never gives two claimers the same lane, and takes none from a claimer that died', async () => {
    const lanes = await Promise.all([1, 2, 3].map(() => kz.send({})))
    await kz.send({}, { lane: lanes[0]?.lane ?? '' })
    let second: readonly { id: string }[] = []
    const first = await run(async (tx) => {
      const claimed = await claimHeadRuns(tx, link, testNow)
      const more = await kz.send({})
      second = await claim()
      expect(second.map(({ id }) => id)).toEqual([more.id])
      return claimed
    })
    expect(first.length).toBe(4)
    const died = run(async (tx) => {
      await claimHeadRuns(tx, link, testNow)
      throw new Error('killed')
    })
    await expect(died).rejects.toThrow('killed')
    expect((await claim()).length).toBe(5)
  })

  test('does not wait for a lane that another process composes for', async () => {
    const { lane } = await kz.send({})
    await run(async (tx) => {
      await saveOutbound(
        tx,
        kz.node,
        [
          {
            ...link,
            agreement: messageDraft().agreement,
            type: 'EXP-CLR',
            version: 1,
            subject: randomUUID(),
            lane,
            use: messageDraft().use,
            priority: 5,
            expiresAt: minutes(60),
          },
        ],
        testNow,
      )
      expect((await claim()).map(({ seq }) => seq)).toEqual([1])
    })
  })

  test('leaves a message that was put off, and what was queued behind it, until its time', async () => {
    const lane = newLane()
    const { id } = await kz.send({}, { lane })
    await run((tx) => markRetried(tx, [{ id, reason: 'BUSY', notBefore: minutes(2) }], testNow))
    await kz.send({}, { lane })
    expect(await claim()).toEqual([])
    expect(await claim(minutes(1))).toEqual([])
    expect((await claim(minutes(2))).map(({ seq, attempts }) => [seq, attempts])).toEqual([
      [1, 1],
      [2, 0],
    ])
  })
})

describe('what becomes of a message', () => {
  const receiptFor = (id: string, digest: string) =>
    composeReceipt(messageDraft({ id }), digest, testNow.toISOString(), china.signer('live'))

  test('is received with its receipt, and not sent again', async () => {
    const { id, digest, lane } = await kz.send({})
    const receipt = receiptFor(id, digest)
    await run((tx) => markReceived(tx, [{ id, receipt, receivedAt: testNow.toISOString() }], testNow))
    const [row] = await kz.rows(
      sql`select state, receipt, received_at, first_sent_at, attempts from exchange.outbound where id = ${id}`,
    )
    const at = testNow.toISOString()
    expect(row).toEqual({ state: 'received', receipt, received_at: at, first_sent_at: at, attempts: 1 })
    expect(await claim()).toEqual([])
    expect(await states(lane)).toEqual(['1 received'])
  })

  test('parks with a reason, and what stands or comes behind it waits', async () => {
    const lane = newLane()
    const { id } = await kz.send({}, { lane })
    await kz.send({}, { lane })
    const other = await kz.send({})
    await run((tx) => markParked(tx, [{ id, reason: 'TYPE_UNKNOWN' }]))
    await kz.send({}, { lane })
    expect(await states(lane)).toEqual(['1 parked', '2 waiting', '3 waiting'])
    expect((await claim()).map((each) => each.id)).toEqual([other.id])
    expect((await laneStates(lane))[0]?.last_outcome).toBe('TYPE_UNKNOWN')
  })

  test('goes on when its lane is released, and not while another message of the lane is parked', async () => {
    const lane = newLane()
    const { id } = await kz.send({}, { lane })
    await kz.send({}, { lane })
    const third = await kz.send({}, { lane })
    const parked = [id, third.id].map((each) => ({ id: each, reason: 'TYPE_UNKNOWN' }))
    await run((tx) => markParked(tx, parked))
    const giveUp = async (each: string) => {
      await run((tx) =>
        tx.executeQuery(sql`update exchange.outbound set state = 'skipped' where id = ${each}`.compile(tx)),
      )
      await run((tx) => releaseLane(tx, { ...link, lane }))
    }
    await giveUp(id)
    expect(await states(lane)).toEqual(['1 skipped', '2 waiting', '3 parked'])
    await giveUp(third.id)
    expect(await states(lane)).toEqual(['1 skipped', '2 queued', '3 skipped'])
  })

  test('parks all that waits in a mode that is left, and nothing of the other', async () => {
    const [inTest, inLive] = [await kz.send({}, { mode: 'test' }), await kz.send({})]
    expect(await run((tx) => parkMode(tx, 'CN-GACC', 'test', 'MODE_LEFT'))).toBe(1)
    expect(await states(inTest.lane)).toEqual(['1 parked'])
    expect(await states(inLive.lane)).toEqual(['1 queued'])
  })
})

describe('a person decides about a parked message', () => {
  const renewal = { agreement: { id: 'STOP-2021', conditions: '1.1' }, expiresAt: minutes(100) }
  async function parked(reason: string, overrides = {}): Promise<{ id: string; lane: string }> {
    const lane = newLane()
    const { id } = await kz.send({ a: 1 }, { lane, ...overrides })
    await kz.send({ a: 2 }, { lane })
    await run((tx) => markParked(tx, [{ id, reason }]))
    return { id, lane }
  }

  test('resends the same message where it can still be taken', async () => {
    const { id, lane } = await parked('TYPE_UNKNOWN')
    const resent = await run((tx) => resendMessage(tx, kz.node, id, renewal, testNow))
    expect(resent).toEqual({ ok: true, value: { id, reissued: false } })
    expect(await states(lane)).toEqual(['1 queued', '2 queued'])
  })

  test.each(['CONDITIONS_NOT_ACCEPTED', 'ID_CONFLICT', 'SIGNATURE_INVALID', 'EXPIRED'])(
    'issues it anew after %s, in its place',
    async (reason) => {
      const { id, lane } = await parked(reason)
      const resent = await run((tx) => resendMessage(tx, kz.node, id, renewal, testNow))
      expect(resent.ok && resent.value.reissued).toBe(true)
      const newId = resent.ok ? resent.value.id : ''
      const rows = await laneStates(lane)
      expect(rows.map(({ seq, state }) => `${seq} ${state}`).sort()).toEqual(['1 queued', '1 reissued', '2 queued'])
      expect(rows.find((row) => row.id === newId)).toMatchObject({ seq: 1, ref: id, type: 'EXP-CLR' })
      const claimed = await claim()
      expect(claimed.map(({ id: each }) => each)).toContain(newId)
      const read = readMessage(claimed.find((each) => each.id === newId)?.message ?? '')
      expect(read.ok && read.value.payload.agreement.conditions).toBe('1.1')
      const parts = await run((tx) => readParts(tx, 'out', link, [newId]))
      expect(parts.get(newId)?.[0]?.bytes.toString()).toBe('{"a":1}')
    },
  )

  test('issues it anew when it has expired since', async () => {
    const { id } = await parked('TYPE_UNKNOWN', { expiresAt: minutes(1) })
    const resent = await run((tx) => resendMessage(tx, kz.node, id, renewal, minutes(2)))
    expect(resent.ok && resent.value.reissued).toBe(true)
  })

  test('gives it up with a signed SKIP in its place, and the lane goes on', async () => {
    const { id, lane } = await parked('TYPE_UNKNOWN')
    const skipped = await run((tx) => skipMessage(tx, kz.node, id, { ...renewal, use: messageDraft().use }, testNow))
    expect(skipped.ok).toBe(true)
    const claimed = (await claim()).filter((each) => each.lane === lane)
    expect(claimed.map(({ seq }) => seq)).toEqual([1, 2])
    const read = readMessage(claimed[0]?.message ?? '')
    expect(read.ok && read.value.payload).toMatchObject({ type: 'SKIP', seq: 1, ref: id, parts: [] })
    expect((await kz.send({}, { lane })).seq).toBe(3)
  })

  test('refuses a message that is unknown or not parked', async () => {
    const { id } = await kz.send({})
    const unknown = await run((tx) => resendMessage(tx, kz.node, testId(999), renewal, testNow))
    expect(unknown).toEqual({ ok: false, refusal: { code: 'exchange/message-unknown', id: testId(999) } })
    const queued = await run((tx) => skipMessage(tx, kz.node, id, { ...renewal, use: messageDraft().use }, testNow))
    expect(queued).toEqual({ ok: false, refusal: { code: 'exchange/message-not-parked', id, state: 'queued' } })
  })
})

describe('the ledger of what came in', () => {
  const inbound = (number: number, overrides = {}): InboundRow => {
    const message = testMessage(
      { id: testId(number), iss: 'CN-GACC', aud: 'KZ-KGD', lane: newLane(), ...overrides },
      china.signer('live'),
    )
    const read = readMessage(message.compact)
    if (!read.ok) throw new Error('the test message is readable')
    return {
      payload: read.value.payload,
      message: message.compact,
      digest: message.digest,
      receipt: composeReceipt(read.value.payload, message.digest, testNow.toISOString(), kazakhstan.signer('live')),
      parts: [testPart()],
      gap: false,
      state: 'accepted',
      problems: [],
      answerId: undefined,
    }
  }
  const save = (rows: readonly InboundRow[]) => run((tx) => saveInbound(tx, link, rows, testNow))

  test('stores message, receipt and parts, and finds them by id and by place', async () => {
    const row = inbound(101)
    expect([...(await save([row]))]).toEqual([row.payload.id])
    const { stored, holders } = await run((tx) => findStored(tx, link, [row.payload]))
    expect(stored.get(row.payload.id)).toEqual({ id: row.payload.id, digest: row.digest, receipt: row.receipt })
    expect(holders.get(placeOf(row.payload))).toBe(row.payload.id)
    expect((await run((tx) => readParts(tx, 'in', link, [row.payload.id]))).get(row.payload.id)?.length).toBe(1)
  })

  test('stores nothing a second time', async () => {
    const row = inbound(102)
    await save([row])
    expect([...(await save([row, inbound(103)]))]).toEqual([testId(103)])
    const [count] = await kz.rows<{ n: number }>(
      sql`select count(*) as n from exchange.part where message_id = ${testId(102)}`,
    )
    expect(count?.n).toBe(1)
  })

  test('keeps the same id of two partners or modes apart', async () => {
    const row = inbound(104)
    await save([row])
    const inTest = { partner: 'CN-GACC', mode: 'test' } as const
    expect((await run((tx) => findStored(tx, inTest, [row.payload]))).stored.size).toBe(0)
    expect((await run((tx) => saveInbound(tx, inTest, [row], testNow))).size).toBe(1)
  })

  test('leaves no record of a commit that did not happen, and one of the next attempt', async () => {
    const row = inbound(105)
    const crashed = run(async (tx) => {
      await saveInbound(tx, link, [row], testNow)
      throw new Error('killed')
    })
    await expect(crashed).rejects.toThrow('killed')
    expect((await save([row])).size).toBe(1)
  })

  test('closes a gap when the message before comes', async () => {
    const lane = newLane()
    const second = { ...inbound(106, { lane, seq: 2 }), gap: true }
    await save([second])
    const gap = () => kz.rows<{ gap: boolean }>(sql`select gap from exchange.inbound where id = ${testId(106)}`)
    expect(await gap()).toEqual([{ gap: true }])
    await save([inbound(107, { lane, seq: 1 })])
    expect(await gap()).toEqual([{ gap: false }])
  })
})

test('takes a request id once from each partner', async () => {
  expect(await run((tx) => noteRequest(tx, 'CN-GACC', 'request-0000000001'))).toBe(true)
  expect(await run((tx) => noteRequest(tx, 'CN-GACC', 'request-0000000001'))).toBe(false)
  expect(await run((tx) => noteRequest(tx, 'GE-RS', 'request-0000000001'))).toBe(true)
})

test('counts refusals by hour and code; a thousand of them grow nothing, and the record is told of a few', async () => {
  const flood = Array.from({ length: 1000 }, (_, index) => ({ code: 'exchange/malformed', messageId: testId(index) }))
  const count = (refusals: Parameters<typeof countRefusals>[3]) =>
    run((tx) => countRefusals(tx, 'in', 'CN-GACC', refusals))
  const told = await count(flood)
  expect(told.map(({ nth }) => nth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 1000])
  expect(told.at(-1)).toEqual({ code: 'exchange/malformed', messageId: testId(999), nth: 1000 })
  expect(await count([{ code: 'exchange/malformed' }, { code: 'exchange/expired' }])).toEqual([
    { code: 'exchange/expired', messageId: undefined, nth: 1 },
  ])
  const rows =
    await kz.rows(sql`select code, sum(count)::int as count, max(last_message_id) as last from exchange.refusal
    where direction = 'in' group by code order by code`)
  expect(rows).toEqual([
    { code: 'exchange/expired', count: 1, last: null },
    { code: 'exchange/malformed', count: 1001, last: testId(999) },
  ])
})

test('remembers since when a link fails, and that it answers again', async () => {
  const state = () =>
    kz.rows(sql`select failing_since, last_failure, last_answer_at, clock_offset_ms from exchange.link`)
  const attempt = (at: Date, answered: boolean, failure?: string) =>
    run((tx) => saveLinkState(tx, link, { answered, at, failure, ...(answered && { clockOffsetMs: 40 }) }))
  await attempt(minutes(0), false, 'PEER_UNREACHABLE')
  await attempt(minutes(1), false, 'HTTP_502')
  expect(await state()).toEqual([
    { failing_since: minutes(0).toISOString(), last_failure: 'HTTP_502', last_answer_at: null, clock_offset_ms: null },
  ])
  await attempt(minutes(2), true)
  expect(await state()).toEqual([
    { failing_since: null, last_failure: 'HTTP_502', last_answer_at: minutes(2).toISOString(), clock_offset_ms: 40 },
  ])
})
