import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../tests/builders/database.ts'
import {
  asTest,
  carryTo,
  china,
  createNode,
  emptyExchange,
  forgeJws,
  kazakhstan,
  messageDraft,
  stranger,
  type TestNode,
  testId,
  testMessage,
  testNow,
} from '../../tests/builders/exchange.ts'
import { clause } from '../../tests/clause.ts'
import { numberEntries, type RecordedEvent, readEvents } from '../audit/index.ts'
import { Fault } from '../kernel/index.ts'
import { type FrameEntry, writeFrame } from './frame.ts'
import { sealFrame } from './frame-cipher.ts'
import { deliverOnce, type PostFrames, Sender } from './jobs.ts'
import { composeAnswer, composeRequest, openAnswer, type RequestPayload } from './link-request.ts'
import { answerFrames } from './routes.ts'
import { resendMessage, skipMessage } from './store.ts'
import { type Signer, sha256 } from './strict-jws.ts'

let databases: readonly TestDatabase[]
let kz: TestNode
let cn: TestNode
beforeAll(async () => {
  databases = await Promise.all([createTestDatabase(), createTestDatabase()])
})
beforeEach(async () => {
  await Promise.all(databases.map(emptyExchange))
  const [first, second] = databases
  if (!first || !second) throw new Error('two databases were asked for')
  kz = await createNode(kazakhstan, china, first.database)
  cn = await createNode(china, kazakhstan, second.database)
})
afterAll(async () => {
  await Promise.all(databases.map((each) => each.drop()))
})

const toChina: PostFrames = (partner, body) => carryTo(cn, kazakhstan.pin, china.pin)(partner, body)
const toKazakhstan: PostFrames = (partner, body) => carryTo(kz, china.pin, kazakhstan.pin)(partner, body)
const deliver = (post = toChina) => deliverOnce(kz.node, kz.database, kz.peer, post)
const answerBack = (post = toKazakhstan) => deliverOnce(cn.node, cn.database, cn.peer, post)

interface Out {
  state: string
  attempts: number
  last_outcome: string | null
  answer: string | null
  problems: unknown
  used_at: string | null
}
const sentState = async (id: string): Promise<Out | undefined> =>
  (
    await kz.rows<Out>(
      sql`select state, attempts, last_outcome, answer, problems, used_at from exchange.outbound where id = ${id}`,
    )
  )[0]
const held = () =>
  cn.rows<{ id: string; state: string; seq: number; gap: boolean; duplicates: number; type: string }>(
    sql`select id, state, seq, gap, duplicates, type from exchange.inbound order by seq, id`,
  )
const refusals = (node: TestNode, direction: 'in' | 'out') =>
  node.rows(sql`select code, count::int as count from exchange.refusal where direction = ${direction} order by code`)
const auditOf = async (node: TestNode): Promise<readonly RecordedEvent[]> => {
  await numberEntries(node.database, 1000)
  const { events } = await asTest(node.database, (tx) =>
    readEvents(tx, { after: { position: 0, index: 0 }, limit: 1000 }),
  )
  return events.filter(({ type }) => !type.startsWith('partner.'))
}

/** A request as Kazakhstan would post it, made by hand. */
async function postByHand(
  entries: readonly FrameEntry[],
  options: { changes?: Partial<RequestPayload>; signer?: Signer; recipient?: typeof china; frame?: string } = {},
) {
  const { kid, publicKey } = (options.recipient ?? china).decrypt.live
  const frame = options.frame ?? (await sealFrame(writeFrame(entries), { kid, key: publicKey }))
  const request = composeRequest(
    {
      iss: 'KZ-KGD',
      aud: 'CN-GACC',
      mode: 'live',
      iat: testNow.getTime() / 1000,
      jti: randomUUID(),
      operation: 'frames',
      contentDigest: sha256(frame),
      ...options.changes,
    },
    options.signer ?? kazakhstan.signer('live'),
  )
  const body = JSON.stringify({ request: request.compact, frame })
  const response = await answerFrames(cn.node, cn.database, { peerPin: kazakhstan.pin, body })
  const keyring = china.keyrings[options.changes?.mode ?? 'live']
  const answer = openAnswer(response.body, { me: 'KZ-KGD', keyring, requestDigest: request.digest })
  return { ...response, answer, sent: body }
}

describe('a message and its fate', () => {
  clause('STOP-2021/2.2-r1', 'goes online, is acknowledged, accepted and used, and both sides know it', async () => {
    const sent = await kz.send({ goods: 'x' })
    expect(await deliver()).toEqual({ kind: 'delivered', sent: 1, received: 1, retryAfterSeconds: undefined })
    expect(await sentState(sent.id)).toMatchObject({ state: 'received', attempts: 1, answer: null })
    expect(await held()).toEqual([
      { id: sent.id, state: 'accepted', seq: 1, gap: false, duplicates: 0, type: 'EXP-CLR' },
    ])
    expect(cn.kept.map(({ payload, decision }) => [payload.id, decision.kind])).toEqual([[sent.id, 'accepted']])

    expect(await answerBack()).toMatchObject({ kind: 'delivered', sent: 1, received: 1 })
    expect(await sentState(sent.id)).toMatchObject({ answer: 'accepted', problems: null, used_at: null })

    await cn.send(undefined, { partner: 'KZ-KGD', type: 'USED', ref: sent.id, subject: sent.subject, lane: sent.lane })
    await answerBack()
    expect((await sentState(sent.id))?.used_at).toBe(testNow.toISOString())
    expect([await deliver(), await answerBack()].map(({ kind }) => kind)).toEqual(['idle', 'idle'])
  })

  test('brings the receiver’s warnings back with its ACCEPTED', async () => {
    const sent = await kz.send({ warn: true })
    await deliver()
    await answerBack()
    expect(await sentState(sent.id)).toMatchObject({
      answer: 'accepted',
      problems: [{ code: 'clearance/test-warning', pointer: '/warn' }],
    })
  })

  test('brings the receiver’s problems back with its REJECTED, and the receiver keeps the record as defective', async () => {
    const sent = await kz.send({ reject: true })
    await deliver()
    await answerBack()
    expect(await sentState(sent.id)).toMatchObject({
      state: 'received',
      answer: 'rejected',
      problems: [{ code: 'clearance/test-defect', pointer: '/reject' }],
    })
    expect((await held())[0]?.state).toBe('rejected')
    expect(cn.kept[0]?.decision.kind).toBe('rejected')
  })

  test('keeps prohibited content aside and tells the sender', async () => {
    const sent = await kz.send({ quarantine: true })
    await deliver()
    await answerBack()
    expect((await held())[0]?.state).toBe('quarantined')
    expect((await sentState(sent.id))?.answer).toBe('rejected')
  })

  test.each<[string, Buffer]>([
    ['a null character, which no table keeps', Buffer.from('{"goods":"a\\u0000b"}')],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['duplicate members', Buffer.from('{"a":1,"a":1}')],
    ['__proto__', Buffer.from('{"__proto__":{}}')],
    ['a number no double can hold', Buffer.from('{"a":1e400}')],
    ['seventeen levels', Buffer.from('['.repeat(17) + ']'.repeat(17))],
    ['nothing', Buffer.from(' ')],
  ])('acknowledges a body of %s, and rejects it', async (_, body) => {
    const sent = await kz.send(undefined, { body })
    await deliver()
    await answerBack()
    expect(await sentState(sent.id)).toMatchObject({ state: 'received', answer: 'rejected' })
    expect((await sentState(sent.id))?.problems).toMatchObject([{ code: 'exchange/body-unreadable', pointer: '' }])
  })

  test('admits a body that only speaks of a null character', async () => {
    const sent = await kz.send({ note: 'written \\u0000' })
    await deliver()
    await answerBack()
    expect((await sentState(sent.id))?.answer).toBe('accepted')
  })

  test('takes an answer that overtakes its own receipt', async () => {
    const sent = await kz.send({})
    await deliver(async (partner, body) => {
      const answer = await toChina(partner, body)
      expect(await answerBack()).toMatchObject({ kind: 'delivered', received: 1 })
      return answer
    })
    expect(await sentState(sent.id)).toMatchObject({ state: 'received', answer: 'accepted' })
  })

  test('takes no answer about a message of the other mode', async () => {
    const sent = await kz.send({})
    await deliver()
    await answerBack()
    const other = await kz.send({})
    await cn.send(undefined, { partner: 'KZ-KGD', mode: 'test', type: 'ACCEPTED', ref: other.id })
    const inTest = { ...cn.channel, mode: 'test' as const } as NonNullable<TestNode['channel']>
    cn.channel = inTest
    kz.channel = inTest
    expect(await answerBack()).toMatchObject({ received: 1 })
    expect(await sentState(other.id)).toMatchObject({ answer: null })
    expect(await sentState(sent.id)).toMatchObject({ answer: 'accepted' })
  })

  test('keeps the first answer to a message', async () => {
    const sent = await kz.send({})
    await deliver()
    await answerBack()
    await cn.send(undefined, { partner: 'KZ-KGD', type: 'REJECTED', ref: sent.id })
    await answerBack()
    expect((await sentState(sent.id))?.answer).toBe('accepted')
    const told = (await auditOf(kz)).filter(({ type }) => type.startsWith('message.')).map(({ type }) => type)
    expect(told).toEqual(['message.received-by-partner', 'message.accepted'])
  })

  test.each(['ACCEPTED', 'REJECTED', 'USED'])(
    'records nothing of %s about a message that it never sent',
    async (type) => {
      await cn.send(undefined, { partner: 'KZ-KGD', type, ref: testId(77) })
      await cn.send(undefined, { partner: 'KZ-KGD', type })
      expect(await answerBack()).toMatchObject({ received: 2 })
      expect((await auditOf(kz)).map((event) => event.type)).toEqual(['inbound.received', 'inbound.received'])
    },
  )
})

describe('a link that fails', () => {
  const html: PostFrames = async () => ({ status: 502, body: '<html><h1>502 Bad Gateway</h1></html>' })
  const failures: ReadonlyArray<[string, PostFrames, string]> = [
    ['a gateway answers 502 in HTML', html, 'HTTP_502'],
    ['a proxy answers 200 in HTML', async () => ({ status: 200, body: '<html>Welcome</html>' }), 'ANSWER_INVALID'],
    ['the answer is empty', async () => ({ status: 200, body: '' }), 'ANSWER_INVALID'],
    ['the answer redirects', async () => ({ status: 302, body: '' }), 'HTTP_302'],
    [
      'nobody answers',
      async () => {
        throw new Fault('exchange/peer-unreachable', 'refused')
      },
      'PEER_UNREACHABLE',
    ],
    [
      'another node answers',
      (partner, body) => carryTo(cn, kazakhstan.pin, stranger.pin)(partner, body),
      'PEER_NOT_PINNED',
    ],
    ['the peer does not know us', (partner, body) => carryTo(cn, stranger.pin, china.pin)(partner, body), 'HTTP_403'],
  ]

  test.each(failures)('when %s nothing is lost and nothing counts', async (_, post, reason) => {
    const sent = await kz.send({})
    expect(await deliver(post)).toMatchObject({ kind: 'unanswered', sent: 1, received: 0 })
    expect(await sentState(sent.id)).toMatchObject({ state: 'queued', attempts: 1, last_outcome: reason })
    const [link] = await kz.rows<{ last_failure: string }>(sql`select last_failure from exchange.link`)
    expect(link?.last_failure).toBe(reason)
    expect(await held()).toEqual([])
    expect(await deliver()).toMatchObject({ received: 1 })
    expect((await sentState(sent.id))?.attempts).toBe(2)
  })

  const lost: ReadonlyArray<[string, PostFrames]> = [
    [
      'is lost',
      async (partner, body) => {
        await toChina(partner, body)
        throw new Fault('exchange/peer-unreachable', 'the connection broke')
      },
    ],
    [
      'is truncated',
      async (partner, body) => {
        const { status, body: answer } = await toChina(partner, body)
        return { status, body: answer.slice(0, answer.length / 2) }
      },
    ],
    [
      'is signed by somebody else',
      async (partner, body) => {
        const { body: answer } = await toChina(partner, body)
        const payload = JSON.parse(Buffer.from(answer.split('.')[1] ?? '', 'base64url').toString()) as object
        return { status: 200, body: forgeJws({ payload }, stranger.signer('live'), 'dx1-answer') }
      },
    ],
    [
      'belongs to another request',
      async (partner, body) => {
        await toChina(partner, body)
        const other = composeAnswer(
          {
            iss: 'CN-GACC',
            aud: 'KZ-KGD',
            mode: 'live',
            iat: testNow.getTime() / 1000,
            requestDigest: sha256('other'),
            outcome: 'OK',
            results: [],
          },
          china.signer('live'),
        )
        return { status: 200, body: other }
      },
    ],
  ]

  test.each(lost)('when the answer %s, the same message goes again and earns the stored receipt', async (_, post) => {
    const sent = await kz.send({})
    expect(await deliver(post)).toMatchObject({ kind: 'unanswered', received: 0 })
    const [stored] = await cn.rows<{ receipt: string }>(sql`select receipt from exchange.inbound`)
    expect(await deliver()).toMatchObject({ kind: 'delivered', received: 1 })
    const [mine] = await kz.rows<{ receipt: string }>(sql`select receipt from exchange.outbound`)
    expect(mine?.receipt).toBe(stored?.receipt)
    expect(await held()).toMatchObject([{ id: sent.id, duplicates: 1 }])
    expect(cn.kept.length).toBe(1)
    expect(await answerBack()).toMatchObject({ sent: 1, received: 1 })
  })

  clause(
    'STOP-2021/2.2-r1',
    'leaves the message to be sent when our own process dies after the partner stored it',
    async () => {
      const sent = await kz.send({})
      const dies = deliver(async (partner, body) => {
        await toChina(partner, body)
        throw new Error('killed')
      })
      await expect(dies).rejects.toThrow('killed')
      expect(await sentState(sent.id)).toMatchObject({ state: 'queued', attempts: 0 })
      expect(await deliver()).toMatchObject({ received: 1 })
      expect((await held()).length).toBe(1)
    },
  )

  test('passes on how long the partner asks to be left alone', async () => {
    await kz.send({})
    const busy: PostFrames = async () => ({ status: 503, body: 'later', retryAfterSeconds: 77 })
    expect(await deliver(busy)).toMatchObject({ kind: 'unanswered', retryAfterSeconds: 77 })
  })
})

describe('what a request must be', () => {
  const good = testMessage()

  test('answers a proven request with a signed answer that quotes it', async () => {
    const { status, contentType, answer } = await postByHand([good.entry])
    expect([status, contentType, answer?.outcome]).toEqual([200, 'application/jose', 'OK'])
    expect(answer?.results).toMatchObject([{ index: 0, outcome: 'RECEIVED', id: good.draft.id, digest: good.digest }])
  })

  test.each([undefined, '', stranger.pin, kazakhstan.pin.toLowerCase()])(
    'signs nothing for a peer whose key is %j',
    async (peerPin) => {
      const response = await answerFrames(cn.node, cn.database, { peerPin, body: '{}' })
      expect(response).toMatchObject({ status: 403, contentType: 'application/problem+json', outcome: 'PEER_UNKNOWN' })
      expect(JSON.parse(response.body)).toEqual({
        type: 'urn:dostyk:refusal:exchange/peer-unknown',
        status: 403,
        code: 'exchange/peer-unknown',
      })
    },
  )

  clause('STOP-2021/1.2-r3', 'takes nothing from a node that is not the one of an approved partner', async () => {
    const { sent } = await postByHand([good.entry], { changes: { iat: 0 } })
    const response = await answerFrames(cn.node, cn.database, { peerPin: stranger.pin, body: sent })
    expect(response.outcome).toBe('PEER_UNKNOWN')
    expect(await held()).toEqual([])
  })

  clause('STOP-2021/1.2-r3', 'sends nothing to a node that does not hold the partner’s key', async () => {
    const sent = await kz.send({})
    await deliver((partner, body) => carryTo(cn, kazakhstan.pin, stranger.pin)(partner, body))
    expect(await sentState(sent.id)).toMatchObject({ state: 'queued', last_outcome: 'PEER_NOT_PINNED' })
  })

  test('refuses a body over 6 MiB before it asks who sent it', async () => {
    const response = await answerFrames(cn.node, cn.database, {
      peerPin: undefined,
      body: 'x'.repeat(6 * 1024 * 1024 + 1),
    })
    expect(response).toMatchObject({ status: 413, outcome: 'FRAME_TOO_LARGE' })
  })

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '{"request":"a"}',
    '{"request":"a","frame":1}',
    '{"request":{},"frame":"b"}',
    '{"request":"a","frame":"b","mode":"live"}',
    '{"request":"a","request":"a","frame":"b"}',
    '{"request":"a","frame":"b","__proto__":{}}',
    '<?xml version="1.0"?>',
  ])('refuses the body %j', async (body) => {
    const response = await answerFrames(cn.node, cn.database, { peerPin: kazakhstan.pin, body })
    expect(response).toMatchObject({ status: 400, outcome: 'REQUEST_INVALID' })
  })

  test.each<[string, Parameters<typeof postByHand>[1], string]>([
    ['for somebody else', { changes: { aud: 'GE-RS' } }, 'REQUEST_INVALID'],
    ['about another frame', { changes: { contentDigest: sha256('other') } }, 'REQUEST_INVALID'],
    ['that another signed', { signer: stranger.signer('live') }, 'REQUEST_INVALID'],
    ['that is 61 s old', { changes: { iat: testNow.getTime() / 1000 - 61 } }, 'REQUEST_STALE'],
    ['that is 61 s ahead', { changes: { iat: testNow.getTime() / 1000 + 61 } }, 'REQUEST_STALE'],
    [
      'in test mode, signed with its key, when the channel is live',
      { changes: { mode: 'test' }, signer: kazakhstan.signer('test') },
      'LINK_CLOSED',
    ],
    ['with a frame for somebody else', { recipient: stranger }, 'FRAME_UNREADABLE'],
    ['with a frame that is none', { frame: 'a.b.c.d.e' }, 'FRAME_UNREADABLE'],
  ])('refuses one %s, and the sender can prove the refusal', async (_, options, outcome) => {
    const response = await postByHand([good.entry], options)
    expect(response.outcome).toBe(outcome)
    expect(response.answer).toMatchObject({ outcome, results: [] })
    expect(await held()).toEqual([])
    expect(await refusals(cn, 'in')).toMatchObject([{ count: 1 }])
  })

  test('refuses one that cannot be read without pretending to know its digest', async () => {
    const body = JSON.stringify({ request: 'a.b.c', frame: 'f' })
    const response = await answerFrames(cn.node, cn.database, { peerPin: kazakhstan.pin, body })
    expect(response).toMatchObject({ status: 200, outcome: 'REQUEST_INVALID' })
    expect(openAnswer(response.body, { me: 'KZ-KGD', keyring: china.keyrings.test, requestDigest: '' })?.outcome).toBe(
      'REQUEST_INVALID',
    )
  })

  test('refuses a frame with no messages', async () => {
    expect((await postByHand([])).answer?.outcome).toBe('FRAME_UNREADABLE')
  })

  test('takes a captured request once', async () => {
    const first = await postByHand([good.entry])
    const again = await answerFrames(cn.node, cn.database, { peerPin: kazakhstan.pin, body: first.sent })
    expect(again.outcome).toBe('REQUEST_REPLAYED')
    expect((await held()).length).toBe(1)
  })

  test('takes nothing while the channel is closed, and keeps nothing of it', async () => {
    cn.channel = undefined
    expect((await postByHand([good.entry])).answer?.outcome).toBe('LINK_CLOSED')
    const sent = await kz.send({})
    expect(await deliver()).toMatchObject({ kind: 'unanswered', received: 0 })
    expect(await sentState(sent.id)).toMatchObject({ state: 'queued', last_outcome: 'LINK_CLOSED' })
    expect(await held()).toEqual([])
  })
})

describe('modes never mix', () => {
  test('sends nothing of test once the channel is live, whatever is in the queue', async () => {
    const inTest = await kz.send({}, { mode: 'test' })
    const inLive = await kz.send({})
    expect(await deliver()).toMatchObject({ sent: 1, received: 1 })
    expect((await held()).map(({ id }) => id)).toEqual([inLive.id])
    expect(await sentState(inTest.id)).toMatchObject({ state: 'queued', attempts: 0 })
    expect((await deliver()).kind).toBe('idle')
  })

  test('refuses a test message in a live frame', async () => {
    const { answer } = await postByHand([testMessage({ mode: 'test' }).entry])
    expect(answer?.results).toMatchObject([{ outcome: 'WRONG_MODE' }])
  })

  test('sends nothing while its own channel is closed', async () => {
    await kz.send({})
    kz.channel = undefined
    expect((await deliver()).kind).toBe('idle')
  })
})

describe('one bad message never costs the others', () => {
  test.each(['throw', 'sql'] as const)(
    'when its content cannot be kept (%s), it alone is BUSY and leaves nothing',
    async (failSave) => {
      const first = await kz.send({ a: 1 })
      const bad = await kz.send({ failSave })
      const last = await kz.send({ a: 2 })
      expect(await deliver()).toMatchObject({ kind: 'delivered', sent: 3, received: 2 })
      expect((await held()).map(({ id }) => id).sort()).toEqual([first.id, last.id].sort())
      expect(await sentState(bad.id)).toMatchObject({ state: 'queued', last_outcome: 'BUSY' })
      expect(cn.reports).toEqual([{ code: 'exchange/busy', id: bad.id }])
      const [parts] = await cn.rows<{ n: number }>(
        sql`select count(*)::int as n from exchange.part where message_id = ${bad.id}`,
      )
      expect(parts?.n).toBe(0)

      cn.failing = false
      kz.now = new Date(testNow.getTime() + 900_000)
      cn.now = kz.now
      expect(await deliver()).toMatchObject({ sent: 1, received: 1 })
      expect((await held()).length).toBe(3)
    },
  )

  test('stores nothing and says nothing when the database goes away: the partner comes again', async () => {
    await kz.send({ a: 1 })
    await kz.send({ failSave: 'fault' })
    expect(await deliver()).toEqual({ kind: 'unanswered', sent: 2, received: 0, retryAfterSeconds: 5 })
    expect(await held()).toEqual([])
    expect(cn.reports).toEqual([])
    cn.failing = false
    expect(await deliver()).toMatchObject({ sent: 2, received: 2 })
  })

  test('stores what is good of a frame of good and bad', async () => {
    const good = testMessage({ id: testId(1) })
    const { answer } = await postByHand([
      { message: 'x.y.z', parts: {} },
      testMessage({ id: testId(2), iss: 'GE-RS' }).entry,
      good.entry,
      testMessage({ id: testId(3) }, stranger.signer('live')).entry,
      { ...testMessage({ id: testId(4) }).entry, parts: {} },
      testMessage({ id: testId(5), epoch: 2 ** 31 - 1, seq: 2 ** 53 - 1 }).entry,
      good.entry,
    ])
    expect(answer?.results.map(({ outcome }) => outcome)).toEqual([
      'MALFORMED',
      'WRONG_ISSUER',
      'RECEIVED',
      'KEY_UNKNOWN',
      'PART_INVALID',
      'RECEIVED',
      'RECEIVED',
    ])
    expect(answer?.results[2]?.receipt).toBe(answer?.results[6]?.receipt)
    expect((await held()).length).toBe(2)
    expect(await refusals(cn, 'in')).toEqual([
      { code: 'exchange/key-unknown', count: 1 },
      { code: 'exchange/malformed', count: 1 },
      { code: 'exchange/part-invalid', count: 1 },
      { code: 'exchange/wrong-issuer', count: 1 },
    ])
  })

  test('refuses a second content under one id and leaves the first as it is', async () => {
    const first = testMessage()
    await postByHand([first.entry])
    const { answer } = await postByHand([testMessage({ seq: 2 }).entry, first.entry])
    expect(answer?.results.map(({ outcome }) => outcome)).toEqual(['ID_CONFLICT', 'RECEIVED'])
    const [row] = await cn.rows<{ digest: string }>(sql`select digest from exchange.inbound`)
    expect(row?.digest).toBe(first.digest)
  })
})

describe('the same frame several times at once', () => {
  test('stores every message once, with one receipt and one answer', async () => {
    const messages = Array.from({ length: 10 }, (_, index) => testMessage({ id: testId(index + 1), seq: index + 1 }))
    const forwards = messages.map(({ entry }) => entry)
    const attempts = await Promise.all(
      [forwards, [...forwards].reverse(), forwards, forwards].map((entries) => postByHand(entries)),
    )
    const receipts = new Map<string, Set<string>>()
    for (const { answer } of attempts)
      for (const { id = '', outcome, receipt = '' } of answer?.results ?? []) {
        expect(outcome).toBe('RECEIVED')
        receipts.set(id, (receipts.get(id) ?? new Set()).add(receipt))
      }
    expect([...receipts.values()].map(({ size }) => size)).toEqual(messages.map(() => 1))
    expect((await held()).length).toBe(10)
    const [answers] = await cn.rows<{ n: number }>(sql`select count(*)::int as n from exchange.outbound`)
    expect(answers?.n).toBe(10)
  })
})

describe('lanes', () => {
  test('keep their order, and show a gap until it is closed', async () => {
    const lane = messageDraft().lane
    const one = testMessage({ id: testId(1), seq: 1 })
    await postByHand([testMessage({ id: testId(3), seq: 3 }).entry])
    expect(cn.kept.map(({ gap }) => gap)).toEqual([true])
    await postByHand([one.entry, testMessage({ id: testId(2), seq: 2 }).entry])
    expect((await held()).map(({ seq, gap }) => [seq, gap])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ])
    expect(lane).toBe(one.draft.lane)
  })

  test('stop behind a message that was refused for good, and go on after its SKIP', async () => {
    const lane = randomUUID()
    const bad = await kz.send({}, { lane, type: 'UNHEARD' })
    await deliver()
    expect(await sentState(bad.id)).toMatchObject({ state: 'parked', last_outcome: 'TYPE_UNKNOWN' })
    expect(await refusals(kz, 'out')).toEqual([{ code: 'exchange/type-unknown', count: 1 }])
    const next = await kz.send({}, { lane })
    expect((await deliver()).kind).toBe('idle')

    const agreement = messageDraft().agreement
    const expiresAt = new Date(testNow.getTime() + 86_400_000)
    const skipped = await asTest(kz.database, (tx) =>
      skipMessage(tx, kz.node, bad.id, { agreement, expiresAt, use: messageDraft().use }, testNow),
    )
    expect(skipped.ok).toBe(true)
    expect(await deliver()).toMatchObject({ sent: 2, received: 2 })
    expect((await held()).map(({ type, seq, gap }) => [type, seq, gap])).toEqual([
      ['SKIP', 1, false],
      ['EXP-CLR', 2, false],
    ])
    expect((await sentState(next.id))?.state).toBe('received')
  })

  test('go on when a person resends what could not be taken before', async () => {
    const sent = await kz.send({}, { agreement: { id: 'OTHER', conditions: '1.0' } })
    await deliver()
    expect(await sentState(sent.id)).toMatchObject({ state: 'parked', last_outcome: 'AGREEMENT_UNKNOWN' })
    const renewal = { agreement: messageDraft().agreement, expiresAt: new Date(testNow.getTime() + 86_400_000) }
    await asTest(kz.database, (tx) => resendMessage(tx, kz.node, sent.id, renewal, testNow))
    expect(await deliver()).toMatchObject({ sent: 1, received: 1 })
    expect((await held()).map(({ seq, type }) => [seq, type])).toEqual([[1, 'EXP-CLR']])
  })

  test('park what expired before it could go, and count it', async () => {
    const sent = await kz.send({}, { expiresAt: new Date(testNow.getTime() + 1000) })
    const next = await kz.send({}, { lane: sent.lane })
    kz.now = new Date(testNow.getTime() + 1000)
    expect(await deliver()).toMatchObject({ sent: 0, received: 0 })
    expect(await sentState(sent.id)).toMatchObject({ state: 'parked', last_outcome: 'EXPIRED' })
    expect((await sentState(next.id))?.state).toBe('waiting')
  })

  test('learn of a message that expired after it arrived that it did arrive', async () => {
    const sent = await kz.send({}, { expiresAt: new Date(testNow.getTime() + 1000) })
    await deliver(async (partner, body) => {
      await toChina(partner, body)
      throw new Fault('exchange/peer-unreachable', 'the answer was lost')
    })
    kz.now = new Date(testNow.getTime() + 86_400_000)
    cn.now = kz.now
    expect(await deliver()).toMatchObject({ sent: 1, received: 1 })
    expect((await sentState(sent.id))?.state).toBe('received')
  })

  test('park a message that expired on its way, once the partner has said that it does not hold it', async () => {
    const sent = await kz.send({}, { expiresAt: new Date(testNow.getTime() + 1000) })
    const down: PostFrames = async () => {
      throw new Fault('exchange/peer-unreachable', 'down')
    }
    await deliver(down)
    kz.now = new Date(testNow.getTime() + 86_400_000)
    cn.now = kz.now
    await deliver(down)
    expect((await sentState(sent.id))?.state).toBe('queued')
    await deliver()
    expect(await sentState(sent.id)).toMatchObject({ state: 'parked', last_outcome: 'EXPIRED' })
  })

  test('are never carried twice by two processes on one database', async () => {
    for (let lane = 0; lane < 12; lane += 1) {
      const { lane: id } = await kz.send({ lane })
      await kz.send({ lane }, { lane: id })
    }
    const counted = { sent: 0 }
    const work = async (): Promise<void> => {
      for (;;) {
        const { kind, sent } = await deliver()
        counted.sent += sent
        if (kind === 'idle') return
      }
    }
    await Promise.all([work(), work(), work()])
    expect(counted.sent).toBe(24)
    const rows = await held()
    expect(rows.length).toBe(24)
    expect(rows.filter(({ duplicates, gap }) => duplicates > 0 || gap)).toEqual([])
  })
})

describe('a bad line, both ways, two processes a side', () => {
  test.each([1, 2, 3])('loses, repeats and mixes up nothing (seed %i)', async (seed) => {
    let state = seed
    const draw = (): number => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31
      return state / 2 ** 31
    }
    /** Loses one post in four before it arrives, and one answer in four after it was given. */
    const unreliable =
      (post: PostFrames): PostFrames =>
      async (partner, body) => {
        const luck = draw()
        if (luck < 0.25) throw new Fault('exchange/peer-unreachable', 'lost')
        const answer = await post(partner, body)
        if (luck < 0.5) throw new Fault('exchange/peer-unreachable', 'the answer was lost')
        return answer
      }
    const lanes = Array.from({ length: 15 }, () => randomUUID())
    for (let round = 0; round < 4; round += 1)
      for (const lane of lanes) await kz.send({ reject: round === 2 }, { lane })
    let busy = 4
    const work = async (attempt: () => Promise<{ kind: string }>): Promise<void> => {
      let idle = 0
      while (idle < 3) idle = (await attempt()).kind === 'idle' ? idle + 1 : 0
      busy -= 1
      // Whoever is done early looks again until all are.
      while (busy > 0) {
        await attempt()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    const there = () => deliver(unreliable(toChina))
    const back = () => answerBack(unreliable(toKazakhstan))
    await Promise.all([work(there), work(there), work(back), work(back)])
    for (let left = 1; left > 0; )
      left = [await deliver(), await answerBack()].filter(({ kind }) => kind !== 'idle').length

    const ours = await kz.rows<{ state: string; answer: string; seq: number }>(
      sql`select state, answer, seq from exchange.outbound order by seq`,
    )
    expect(ours.length).toBe(60)
    expect(ours.filter((row) => row.state !== 'received')).toEqual([])
    expect(ours.filter((row) => row.answer !== (row.seq === 3 ? 'rejected' : 'accepted'))).toEqual([])
    const theirs = await held()
    expect(theirs.length).toBe(60)
    expect(theirs.filter(({ gap }) => gap)).toEqual([])
    expect(cn.kept.length).toBe(60)
    const [wrong] = await kz.rows<{ n: number }>(sql`select count(*)::int as n from exchange.refusal`)
    expect(wrong?.n).toBe(0)
  })
})

describe('the sender', () => {
  test('drains the queue, holds back from a silent partner, and goes on at once when told that the link is back', async () => {
    let up = false
    let attempts = 0
    const sender = new Sender(kz.node, kz.database, async (partner, body) => {
      attempts += 1
      if (!up) throw new Fault('exchange/peer-unreachable', 'down')
      return await toChina(partner, body)
    })
    const sent = await kz.send({})
    const running = sender.run(0.02)
    await expect.poll(() => attempts).toBe(1)
    // The node's clock stands still, so the breaker stays open however often the queue is looked at.
    for (let look = 0; look < 5; look += 1) sender.wake()
    await expect.poll(async () => (await sentState(sent.id))?.last_outcome).toBe('PEER_UNREACHABLE')
    expect(attempts).toBe(1)

    up = true
    sender.retryNow('CN-GACC')
    await expect.poll(async () => (await sentState(sent.id))?.state).toBe('received')
    const more = await kz.send({})
    sender.wake()
    await expect.poll(async () => (await sentState(more.id))?.state).toBe('received')
    sender.stop()
    await running
    expect(attempts).toBe(3)
  })

  test('leaves an answering partner alone for as long as it asks', async () => {
    let attempts = 0
    const sender = new Sender(kz.node, kz.database, async (partner, body) => {
      attempts += 1
      return { ...(await toChina(partner, body)), retryAfterSeconds: 60 }
    })
    const first = await kz.send({})
    const running = sender.run(0.02)
    await expect.poll(async () => (await sentState(first.id))?.state).toBe('received')
    const second = await kz.send({})
    sender.wake()
    await expect
      .poll(async () => (await kz.rows(sql`select 1 from exchange.outbound where state = 'queued'`)).length)
      .toBe(1)
    expect(attempts).toBe(1)
    kz.now = new Date(testNow.getTime() + 60_000)
    cn.now = kz.now
    sender.wake()
    await expect.poll(async () => (await sentState(second.id))?.state).toBe('received')
    sender.stop()
    await running
  })

  test('tells of an error that is ours and goes on', async () => {
    let broken = true
    const sender = new Sender(kz.node, kz.database, async (partner, body) => {
      if (broken) throw new Error('a bug')
      return await toChina(partner, body)
    })
    const sent = await kz.send({})
    const running = sender.run(0.02)
    await expect.poll(() => kz.reports.length).toBe(1)
    broken = false
    sender.retryNow('CN-GACC')
    await expect.poll(async () => (await sentState(sent.id))?.state).toBe('received')
    sender.stop()
    await running
    expect(kz.reports).toEqual([{ code: 'exchange/sender', id: undefined }])
  })
})

describe('the record', () => {
  test('tells on both sides what became of a message, with ids and codes and no content', async () => {
    const sent = await kz.send({ goods: 'drilling machine' })
    await deliver()
    await answerBack()
    const [ours, theirs] = [await auditOf(kz), await auditOf(cn)]
    const about = (events: readonly RecordedEvent[]) =>
      events.filter(({ subject }) => subject === sent.id).map(({ type }) => type)
    expect(about(ours)).toEqual(['message.received-by-partner', 'message.accepted'])
    expect(about(theirs)).toEqual(['inbound.received', 'inbound.accepted'])
    expect(JSON.stringify([ours, theirs])).not.toContain('drilling')
  })

  test('raises an alarm for an id that comes with other content', async () => {
    await postByHand([testMessage().entry])
    await postByHand([testMessage({ seq: 2 }).entry])
    const alarms = (await auditOf(cn)).filter(({ type }) => type === 'inbound.conflict')
    expect(alarms.map(({ subject, facts }) => [subject, facts])).toEqual([
      [testId(1), { partner: 'KZ-KGD', code: 'exchange/id-conflict' }],
    ])
  })

  test('says of a transaction that rolled back nothing', async () => {
    await kz.send({ failSave: 'throw' })
    await deliver()
    expect(await auditOf(cn)).toEqual([])
  })
})
