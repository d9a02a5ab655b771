import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../tests/builders/database.ts'
import { listen, withActor } from '../platform/db/index.ts'
import type { AuditEvent } from './events.ts'
import { feedStart } from './feed-position.ts'
import { startSequencer } from './jobs.ts'
import { findFeedEnd, numberEntries, readEvents, readFeed, readHistory, recordEvents, verifyChain } from './store.ts'

const by = { actor: 'officer-7', purpose: 'intake' }
let test1: TestDatabase
beforeEach(async () => {
  test1 = await createTestDatabase()
})
afterEach(() => test1.drop())

const signed = (subject: string): AuditEvent => ({
  type: 'message.signed',
  subject,
  facts: { type: 'DEP', mode: 'test' },
})
const record = (...events: AuditEvent[]) => withActor(test1.database, by, (tx) => recordEvents(tx, by, events))
const number = () => numberEntries(test1.database, 1000)
const everything = { after: feedStart, limit: 1000 }

async function asOwner(statement: string, values: unknown[] = []): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: test1.ownerUrl })
  await client.connect()
  return client.query(statement, values).finally(() => client.end())
}

describe('recordEvents', () => {
  test('writes one entry for all events of a transaction, seen once it is numbered', async () => {
    await record(signed('m-1'), { type: 'leg.departed', subject: 'leg', facts: { units: 3 } })
    expect((await withActor(test1.database, by, (tx) => readEvents(tx, everything))).events).toEqual([])
    expect(await number()).toBe(1)
    const page = await withActor(test1.database, by, (tx) => readEvents(tx, everything))
    expect(page).toMatchObject({
      events: [
        { type: 'message.signed', subject: 'm-1', place: { position: 1, index: 0 }, ...by },
        { type: 'leg.departed', subject: 'leg', facts: { units: 3 }, place: { position: 1, index: 1 } },
      ],
      next: { position: 1, index: 1 },
      more: false,
    })
  })

  test('leaves no trace of a transaction that rolled back, and no gap', async () => {
    await record(signed('m-1'))
    const failing = withActor(test1.database, by, async (tx) => {
      await recordEvents(tx, by, [signed('m-2')])
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await record(signed('m-3'))
    expect(await number()).toBe(2)
    const { events } = await withActor(test1.database, by, (tx) => readEvents(tx, everything))
    expect(events.map(({ subject, place }) => [subject, place.position])).toEqual([
      ['m-1', 1],
      ['m-3', 2],
    ])
  })

  test('makes no entry when nothing happened', async () => {
    await record()
    expect(await number()).toBe(0)
  })

  test('dies loudly on a fact or an event that the closed list does not have', async () => {
    const named = { type: 'message.signed', subject: 'm', facts: { consignee: 'somebody' } } as unknown as AuditEvent
    await expect(record(named)).rejects.toThrow('Bug')
    const unlisted = { type: 'message.invented', subject: 'm', facts: {} } as unknown as AuditEvent
    await expect(record(unlisted)).rejects.toThrow('Bug')
    await expect(record({ type: 'message.signed', subject: 'two\nlines', facts: {} })).rejects.toThrow('Bug')
  })

  test('dies loudly when nobody is said to act', async () => {
    const nobody = withActor(test1.database, by, (tx) => recordEvents(tx, { ...by, actor: '' }, [signed('m')]))
    await expect(nobody).rejects.toThrow('Bug')
  })
})

describe('numbering', () => {
  test('numbers what committed first while an older transaction is still open, and that one when it ends', async () => {
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const slow = withActor(test1.database, by, async (tx) => {
      await recordEvents(tx, by, [signed('slow')])
      await ended
    })
    await sleep(20)
    await record(signed('quick'))
    expect(await number()).toBe(1)
    end()
    await slow
    expect(await number()).toBe(1)
    const { events } = await withActor(test1.database, by, (tx) => readEvents(tx, everything))
    expect(events.map(({ subject }) => subject)).toEqual(['quick', 'slow'])
    expect(await withActor(test1.database, by, (tx) => verifyChain(tx))).toMatchObject({
      ok: true,
      value: { position: 2 },
    })
  })

  test('gives each entry one number when several processes number at once', async () => {
    const writers = Array.from({ length: 60 }, (_, index) => record(signed(`m-${index}`)))
    const sequencers = Array.from({ length: 20 }, number)
    await Promise.all([...writers, ...sequencers])
    while ((await number()) !== 0) await sleep(1)
    const { events } = await withActor(test1.database, by, (tx) => readEvents(tx, everything))
    expect(events.map(({ place }) => place.position)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
    expect(await withActor(test1.database, by, (tx) => verifyChain(tx))).toMatchObject({
      ok: true,
      value: { position: 60 },
    })
  })

  test('works in the background, wakes listeners, and stops when told', async () => {
    const woken: (string | undefined)[] = []
    const subscription = await listen(test1.database, 'dostyk_events', (payload) => woken.push(payload))
    const sequencer = startSequencer(test1.database, () => {})
    await record(signed('m-1'))
    for (let waited = 0; woken.length === 0 && waited < 2000; waited += 10) await sleep(10)
    await sequencer.stop()
    await subscription.close()
    expect(woken).toEqual(['1'])
    await record(signed('m-2'))
    expect(await number()).toBe(1)
  })

  test('takes no more than it was asked for', async () => {
    await Promise.all([record(signed('a')), record(signed('b')), record(signed('c'))])
    expect(await numberEntries(test1.database, 2)).toBe(2)
    expect(await numberEntries(test1.database, 2)).toBe(1)
  })
})

describe('reading', () => {
  test('resumes in the middle of an entry', async () => {
    await record(signed('a'), signed('b'), signed('c'))
    await record(signed('d'))
    await number()
    const read = (limit: number, after = feedStart) =>
      withActor(test1.database, by, (tx) => readEvents(tx, { after, limit }))
    const first = await read(2)
    expect(first).toMatchObject({ next: { position: 1, index: 1 }, more: true })
    const rest = await read(10, first.next)
    expect(rest.events.map(({ subject }) => subject)).toEqual(['c', 'd'])
    expect(rest.more).toBe(false)
    expect(await withActor(test1.database, by, findFeedEnd)).toEqual(rest.next)
  })

  test('shows the feed fewer events and facts and never who acted, and moves past what is hidden', async () => {
    await record({ type: 'token.created', subject: 't', facts: { name: 'n' } })
    await record({ type: 'declaration.decided', subject: 'd', facts: { outcome: 'withheld', ground: 'g' } })
    await record({ type: 'token.revoked', subject: 't', facts: { name: 'n' } })
    await number()
    const page = await withActor(test1.database, by, (tx) => readFeed(tx, everything))
    expect(page.events).toEqual([
      {
        type: 'declaration.decided',
        subject: 'd',
        facts: { outcome: 'withheld' },
        at: expect.any(String),
        place: { position: 2, index: 0 },
      },
    ])
    expect(page.next).toEqual({ position: 3, index: 0 })
  })

  test('tells the history of one object', async () => {
    await record(signed('a'), signed('b'))
    await record({ type: 'message.received-by-partner', subject: 'a', facts: { partner: 'CN-GACC' } })
    await number()
    const history = await withActor(test1.database, by, (tx) => readHistory(tx, 'a', 10))
    expect(history.map(({ type }) => type)).toEqual(['message.signed', 'message.received-by-partner'])
  })
})

describe('verifyChain', () => {
  beforeEach(async () => {
    for (const subject of ['a', 'b', 'c', 'd']) await record(signed(subject))
    await number()
  })
  const verify = (from?: number, to?: number) => withActor(test1.database, by, (tx) => verifyChain(tx, from, to))

  test('admits what the database numbered, whole and in part', async () => {
    expect(await verify()).toMatchObject({ ok: true, value: { position: 4 } })
    expect(await verify(3)).toMatchObject({ ok: true, value: { position: 4 } })
    expect(await verify(2, 3)).toMatchObject({ ok: true, value: { position: 3 } })
  })

  test('finds an entry that somebody with more rights changed', async () => {
    await asOwner(`update audit.entry set content = replace(content, '"DEP"', '"ARR"') where position = 3`)
    expect(await verify()).toEqual({ ok: false, refusal: { code: 'audit/chain-broken', position: 3, found: 'leaf' } })
    expect(await verify(4)).toMatchObject({ ok: true })
  })

  test('finds an entry that somebody removed', async () => {
    await asOwner('delete from audit.entry where position = 2')
    expect(await verify()).toEqual({ ok: false, refusal: { code: 'audit/chain-broken', position: 2, found: 'gap' } })
  })
})
