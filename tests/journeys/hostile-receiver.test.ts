/** A line that fails and a partner that answers wrongly: every message waits, none is lost, none is doubled. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { clearanceUse, outboxChannel } from '../../src/clearance/index.ts'
import { type AnswerResult, type MessageFate, saveOutbound } from '../../src/exchange/index.ts'
import { withActor } from '../../src/platform/db/index.ts'
import { makeSelfSignedCertificate } from '../../src/platform/keys/self-signed-certificate.ts'
import { aCancellation, aClearance } from '../builders/clearance.ts'
import { type Behaviour, HostileReceiver, type TakenRequest } from '../builders/hostile-peer.ts'
import type { LineState } from '../builders/line.ts'
import { eventually, startNodes, type TwoTestNodes } from '../builders/node.ts'
import { clause } from '../clause.ts'
import { declaration, newNumber, received, sentAbout } from './journey.ts'

let two: TwoTestNodes
let kazakhstan: HostileReceiver
beforeAll(async () => {
  two = await startNodes({ retry: { min: 0.1, max: 0.2 } })
  kazakhstan = new HostileReceiver(two.kz, two.cn, () => {})
  await kazakhstan.open()
})
afterEach(() => goBack())
afterAll(async () => {
  await kazakhstan?.close()
  await two?.close()
})

/** Lets the hostile receiver stand where Kazakhstan's node stands. */
function standIn(behaviour: Behaviour): void {
  kazakhstan.behaviour = behaviour
  two.kz.line.leadTo(kazakhstan.port)
}

/** Kazakhstan's own node answers again. */
function goBack(): void {
  two.kz.line.restore()
  two.kz.line.leadTo(() => two.kz.exchangePort)
}

const fateOf = async (key: string): Promise<MessageFate | undefined> => (await sentAbout(two.cn, key)).at(-1)

/** Waits until a condition holds, and lets the sender look at its queue meanwhile. */
const nudging = (holds: () => Promise<boolean>): Promise<boolean> =>
  eventually(async () => {
    await two.cn.rows(sql`select pg_notify(${outboxChannel}, '')`)
    return await holds()
  })

/** Hands a declaration over and waits until a number of attempts failed. */
async function tryInVain(attempts = 2): Promise<{ id: string; key: string; fate: MessageFate | undefined }> {
  const id = newNumber()
  const { about: key = '' } = await two.cn.take(declaration(id))
  await nudging(async () => ((await fateOf(key))?.attempts ?? 0) >= attempts)
  return { id, key, fate: await fateOf(key) }
}

/** The message is at the partner, once, and both ledgers say the same. */
async function expectDelivered(id: string, key: string): Promise<void> {
  await two.settle()
  expect(await fateOf(key)).toMatchObject({ state: 'received', answer: 'accepted' })
  expect(await received(two.kz, id)).toMatchObject({ state: 'shown', version: 1 })
  const sent = await two.cn.ledger('outbound')
  for (const [message, digest] of await two.kz.ledger('inbound')) expect(sent.get(message)).toBe(digest)
}

describe('a line that fails', () => {
  const lines: ReadonlyArray<readonly [LineState, string]> = [
    ['cut', 'PEER_UNREACHABLE'],
    ['answers-lost', 'PEER_UNREACHABLE'],
  ]
  for (const [state, reason] of lines)
    clause('STOP-2021/2.2-r1', `holds nothing back for good: ${state}`, async () => {
      two.kz.line.set(state)
      const { id, key, fate } = await tryInVain()
      expect(fate).toMatchObject({ state: 'queued', lastOutcome: reason })
      if (state === 'answers-lost') expect(await received(two.kz, id)).toMatchObject({ state: 'shown' })
      goBack()
      await expectDelivered(id, key)
      const [row] = await two.kz.rows(
        sql<{ count: number }>`select count(*)::int as count from clearance.received where declaration_id = ${id}`,
      )
      expect(row?.count).toBe(1)
    })

  test('that is silent keeps nobody from handing over, and what waits goes when it speaks again', async () => {
    two.kz.line.set('silent')
    const ids = [newNumber(), newNumber(), newNumber()]
    const startedAt = Date.now()
    for (const id of ids) await two.cn.take(declaration(id))
    expect(Date.now() - startedAt).toBeLessThan(5000)
    const { items } = await two.cn.get<{ items: ReadonlyArray<{ links: ReadonlyArray<{ queued: number }> }> }>(
      '/api/v1/partners',
    )
    expect(items[0]?.links.reduce((sum, { queued }) => sum + queued, 0)).toBeGreaterThanOrEqual(3)
    goBack()
    await two.settle(40)
    for (const id of ids) expect(await received(two.kz, id)).toMatchObject({ state: 'shown' })
  })
})

const html = '<html><h1>502 Bad Gateway</h1></html>'
const strangerKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

/** Answers that say nothing about a message. */
const worthless: ReadonlyArray<readonly [string, Behaviour]> = [
  ['502 in HTML', (_, response) => void response.writeHead(502, { 'content-type': 'text/html' }).end(html)],
  ['200 in HTML', (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(html)],
  ['a redirect', (_, response) => void response.writeHead(302, { location: 'https://127.0.0.1:1/' }).end()],
  ['nothing', (_, response) => void response.writeHead(200).end()],
  [
    'half an answer',
    (_, response) =>
      void response.writeHead(200, { 'content-length': '5000' }).write('eyJhbGci', () => response.destroy()),
  ],
  ['a closed connection', (_, response) => void response.destroy()],
  ['an unsigned text', (_, response) => void response.writeHead(200).end('{"outcome":"OK"}')],
  [
    'an answer to another request',
    ({ messages }, response, self) => self.answer(response, 'x'.repeat(43), receipts(messages, self)),
  ],
  [
    'an answer by a key of the test',
    ({ requestDigest, messages }, response, self) =>
      self.answer(response, requestDigest, receipts(messages, self), {}, two.kz.services.keys.signer('test')),
  ],
  [
    'an answer of its own about somebody else',
    ({ requestDigest, messages }, response, self) =>
      self.answer(response, requestDigest, receipts(messages, self), { aud: 'RU-FCS' }),
  ],
  [
    'RECEIVED without a receipt',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((_, index) => ({ index, outcome: 'RECEIVED' })),
      ),
  ],
  [
    'a receipt for other content',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((message, index) => ({
          index,
          outcome: 'RECEIVED',
          receipt: self.receipt(message, 'A'.repeat(43)),
        })),
      ),
  ],
  [
    'a receipt that the sender itself could have made',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((message, index) => ({
          index,
          outcome: 'RECEIVED',
          receipt: self.receipt(message, message.jws.digest, two.cn.services.keys.signer('live')),
        })),
      ),
  ],
  [
    'a final refusal of something else',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((message, index) => ({
          index,
          outcome: 'MALFORMED',
          id: message.payload.id,
          digest: 'A'.repeat(43),
        })),
      ),
  ],
  [
    'a refusal that is not final',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((message, index) => ({ index, outcome: 'BUSY', digest: message.jws.digest })),
      ),
  ],
  [
    'an outcome that nobody knows',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        messages.map((message, index) => ({ index, outcome: 'PERHAPS', digest: message.jws.digest })),
      ),
  ],
  [
    'results for other places',
    ({ requestDigest, messages }, response, self) =>
      self.answer(
        response,
        requestDigest,
        receipts(messages, self).map((result) => ({ ...result, index: result.index + 7 })),
      ),
  ],
]

function receipts(messages: TakenRequest['messages'], self: HostileReceiver): AnswerResult[] {
  return messages.map((message, index) => ({
    index,
    outcome: 'RECEIVED',
    id: message.payload.id,
    digest: message.jws.digest,
    receipt: self.receipt(message),
  }))
}

describe('an answer that proves nothing', () => {
  clause('STOP-2021/2.2-r1', 'changes nothing: the message waits and then arrives once', async () => {
    standIn((_, response) => void response.destroy())
    const id = newNumber()
    const { about: key = '' } = await two.cn.take(declaration(id))
    for (const [what, behaviour] of worthless) {
      kazakhstan.behaviour = behaviour
      const before = (await fateOf(key))?.attempts ?? 0
      const tried = await nudging(async () => ((await fateOf(key))?.attempts ?? 0) > before + 1)
      expect([what, tried]).toEqual([what, true])
      expect([what, (await fateOf(key))?.state]).toEqual([what, 'queued'])
    }
    goBack()
    await expectDelivered(id, key)
    const [row] = await two.kz.rows(
      sql<{ count: number }>`select count(*)::int as count from clearance.received where declaration_id = ${id}`,
    )
    expect(row?.count).toBe(1)
  })

  clause(
    ['STOP-2021/1.2-r3', 'STOP-2021/6.1-r1'],
    'by a node with another key is not even asked for: no byte is sent',
    async () => {
      const cert = await makeSelfSignedCertificate(strangerKey, 'KZ-KGD', new Date().toISOString())
      const impostor = new HostileReceiver(two.kz, two.cn, (_, response) => void response.end())
      await impostor.open({ key: strangerKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert })
      two.kz.line.leadTo(impostor.port)
      const { id, key, fate } = await tryInVain()
      expect(fate).toMatchObject({ state: 'queued', lastOutcome: 'PEER_NOT_PINNED' })
      expect(impostor.requests).toBe(0)
      goBack()
      await impostor.close()
      await expectDelivered(id, key)
    },
  )

  test('asks for peace and gets it', async () => {
    standIn((_, response) => void response.writeHead(503, { 'retry-after': '2' }).end())
    const { id, key } = await tryInVain(1)
    const asked = kazakhstan.requests
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(kazakhstan.requests).toBe(asked)
    goBack()
    await expectDelivered(id, key)
  })
})

/** Refuses for good, by the digest that it was sent, whatever the predicate picks; gives receipts for the rest. */
const refuseFor =
  (outcome: string, pick: (type: string) => boolean): Behaviour =>
  ({ requestDigest, messages }, response, self) =>
    self.answer(
      response,
      requestDigest,
      messages.map((message, index) =>
        pick(message.payload.type)
          ? { index, outcome, id: message.payload.id, digest: message.jws.digest }
          : { index, outcome: 'RECEIVED', receipt: self.receipt(message) },
      ),
    )

describe('a poisonous message', () => {
  clause(
    'STOP-2021/2.2-r1',
    'is parked with the partner’s reason; its lane waits, the others go; sent again it arrives',
    async () => {
      standIn(refuseFor('PART_INVALID', (type) => type === 'EXP-CLR'))
      const id = newNumber()
      const { about: key = '' } = await two.cn.take(declaration(id))
      await eventually(async () => (await fateOf(key))?.state === 'parked')
      expect(await fateOf(key)).toMatchObject({ state: 'parked', lastOutcome: 'PART_INVALID' })
      await two.cn.take(declaration(id, 2, { declaration: { totalGrossMass: '21300' } }))
      goBack()
      const other = newNumber()
      await two.cn.take(declaration(other))
      expect(await eventually(async () => (await received(two.kz, other)) !== undefined)).toBe(true)
      const [amendment] = await sentAbout(two.cn, key)
      expect(amendment).toMatchObject({ type: 'AMD', state: 'waiting' })
      expect(await received(two.kz, id)).toBeUndefined()

      const { items } = await two.cn.get<{ items: readonly MessageFate[] }>('/api/v1/messages?state=parked')
      expect(items.map((each) => each.id)).toContain((await fateOf(key))?.id)
      await two.cn.post(`/api/v1/messages/${(await fateOf(key))?.id}/resend`, { reason: 'their store was full' })
      await two.settle()
      expect(await received(two.kz, id)).toMatchObject({ version: 2, gap: false })
    },
  )

  test('given up leaves a SKIP in its place, and what stood behind it goes', async () => {
    standIn(refuseFor('TYPE_UNKNOWN', (type) => type === 'EXP-CLR'))
    const id = newNumber()
    const { about: key = '' } = await two.cn.take(declaration(id))
    await eventually(async () => (await fateOf(key))?.state === 'parked')
    await two.cn.take({ record: 'cancellation', content: aCancellation({ declaration: { id, versionId: 2 } }) })
    goBack()
    const parked = (await fateOf(key))?.id
    await two.cn.post(`/api/v1/messages/${parked}/skip`, { reason: 'cancelled before it arrived' })
    await two.settle()
    const sent = await sentAbout(two.cn, key)
    expect(sent.map(({ type, seq, state }) => [type, seq, state])).toEqual([
      ['SKIP', 1, 'received'],
      ['CNL', 2, 'received'],
      ['EXP-CLR', 1, 'skipped'],
    ])
    expect(await received(two.kz, id)).toMatchObject({ state: 'cancelled', gap: false })
    expect((await two.kz.get<MessageFate>(`/api/v1/messages/${sent[0]?.id}`)).ref).toBe(parked)
    // What was given up is given up.
    const again = await two.cn.call<{ code: string }>('POST', `/api/v1/messages/${parked}/resend`, {
      json: { reason: 'x' },
    })
    expect(again).toMatchObject({ status: 409, body: { code: 'exchange/message-not-parked' } })
  })

  clause(
    'STOP-2021/2.2-r1',
    'that expired is parked and issued anew: the duty does not lapse with a timer',
    async () => {
      two.cut()
      const id = newNumber()
      const subject = randomUUID()
      const draft = {
        partner: 'KZ-KGD',
        mode: 'live' as const,
        agreement: { id: 'STOP-2021', conditions: '1.0' },
        type: 'EXP-CLR',
        version: 1,
        subject,
        lane: randomUUID(),
        body: Buffer.from(JSON.stringify(aClearance({ declaration: { id } }))),
        use: clearanceUse(true),
        priority: 5,
        expiresAt: new Date(Date.now() + 300),
      }
      await withActor(two.cn.db, { actor: 'test', purpose: 'exchange' }, (tx) =>
        saveOutbound(tx, two.cn.services.exchange, [draft], new Date()),
      )
      expect(await eventually(async () => (await fateOf(subject))?.state === 'parked')).toBe(true)
      const old = await fateOf(subject)
      expect(old).toMatchObject({ lastOutcome: 'EXPIRED' })
      two.restore()
      const { id: fresh } = await two.cn.post<{ id: string }>(`/api/v1/messages/${old?.id}/resend`, {
        reason: 'still due',
      })
      expect(fresh).not.toBe(old?.id)
      await two.settle()
      expect(await received(two.kz, id)).toMatchObject({ state: 'shown', gap: false })
      expect(await two.cn.get(`/api/v1/messages/${fresh}`)).toMatchObject({ state: 'received', ref: old?.id, seq: 1 })
      expect(await two.cn.get(`/api/v1/messages/${old?.id}`)).toMatchObject({ state: 'reissued' })
    },
  )
})

test('a node that stops while its partner says nothing stops in time and loses nothing', async () => {
  standIn(() => {})
  const id = newNumber()
  const { about: key = '' } = await two.cn.take(declaration(id))
  await eventually(async () => kazakhstan.requests > 0)
  const feed = await fetch(new URL('/api/v1/events', two.cn.httpUrl), {
    headers: { authorization: `Bearer ${two.cn.token}` },
  })
  expect(feed.status).toBe(200)
  const startedAt = Date.now()
  await two.cn.stop()
  expect(Date.now() - startedAt).toBeLessThan(9000)
  goBack()
  await two.cn.start()
  await expectDelivered(id, key)
})
