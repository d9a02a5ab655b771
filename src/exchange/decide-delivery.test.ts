import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  china,
  kazakhstan,
  queuedMessage,
  stranger,
  testId,
  testMessage,
  testNow,
  testPart,
} from '../../tests/builders/exchange.ts'
import { outcomes } from './codes.ts'
import {
  closedBreaker,
  decideDelivery,
  foldBreaker,
  planFrame,
  type QueuedMessage,
  retryDelaySeconds,
} from './decide-delivery.ts'
import { frameLimits, writeEntry, writeFrame } from './frame.ts'
import type { AnswerPayload, AnswerResult } from './link-request.ts'
import { composeReceipt } from './receipt.ts'
import { sha256 } from './strict-jws.ts'

const policy = { retryDelaySecondsMin: 5, retryDelaySecondsMax: 900 }
const message = testMessage()
const queued = queuedMessage(message)
const receipt = composeReceipt(message.draft, message.digest, testNow.toISOString(), china.signer('live'))

function answer(results: AnswerResult[], outcome = 'OK'): AnswerPayload {
  return {
    iss: 'CN-GACC',
    aud: 'KZ-KGD',
    mode: 'live',
    iat: testNow.getTime() / 1000,
    requestDigest: sha256('request'),
    outcome,
    results,
  }
}

function deliver(sent: readonly QueuedMessage[], given: AnswerPayload | undefined) {
  return decideDelivery(sent, given, {
    me: 'KZ-KGD',
    partner: 'CN-GACC',
    mode: 'live',
    keyring: china.keyrings.live,
    policy,
    random: () => 0.5,
  })
}
const effectOf = (result: Omit<AnswerResult, 'index'>) => deliver([queued], answer([{ index: 0, ...result }]))[0]

describe('RECEIVED counts only with a receipt that proves it', () => {
  test('takes a proven receipt, with the partner’s time', () => {
    expect(effectOf({ outcome: 'RECEIVED', receipt })).toEqual({
      kind: 'received',
      id: queued.id,
      receipt,
      receivedAt: '2026-11-22T03:00:00.000Z',
    })
  })

  test.each<[string, string | undefined]>([
    ['no receipt', undefined],
    ['an empty one', ''],
    [
      'one for another message',
      composeReceipt({ ...message.draft, id: testId(2) }, message.digest, testNow.toISOString(), china.signer('live')),
    ],
    [
      'one for other content',
      composeReceipt(message.draft, sha256('other'), testNow.toISOString(), china.signer('live')),
    ],
    ['one we signed', composeReceipt(message.draft, message.digest, testNow.toISOString(), kazakhstan.signer('live'))],
    [
      'one a stranger signed',
      composeReceipt(message.draft, message.digest, testNow.toISOString(), stranger.signer('live')),
    ],
    [
      'one of test',
      composeReceipt({ ...message.draft, mode: 'test' }, message.digest, testNow.toISOString(), china.signer('test')),
    ],
    ['the message itself', message.compact],
  ])('tries again after %s', (_, given) => {
    expect(effectOf({ outcome: 'RECEIVED', ...(given !== undefined && { receipt: given }) })).toMatchObject({
      kind: 'retry',
      reason: 'RECEIPT_INVALID',
    })
  })

  test('takes no receipt beside another outcome', () => {
    expect(effectOf({ outcome: 'BUSY', receipt })).toMatchObject({ kind: 'retry', reason: 'BUSY' })
  })
})

describe('a refusal is final only by the table and only with our digest', () => {
  const ofMessages = outcomes.filter(({ scope, code }) => scope === 'message' && code !== 'RECEIVED')

  test.each(ofMessages.filter(({ final }) => final).map(({ code }) => code))(
    'parks after %s that quotes our digest',
    (outcome) => {
      expect(effectOf({ outcome, id: queued.id, digest: queued.digest })).toEqual({
        kind: 'parked',
        id: queued.id,
        lane: queued.lane,
        reason: outcome,
      })
    },
  )

  test.each(ofMessages.filter(({ final }) => final).map(({ code }) => code))(
    'tries again after %s that does not',
    (outcome) => {
      expect(effectOf({ outcome })).toMatchObject({ kind: 'retry', reason: outcome })
      expect(effectOf({ outcome, id: queued.id, digest: sha256('other') })).toMatchObject({ kind: 'retry' })
    },
  )

  test.each(ofMessages.filter(({ final }) => !final).map(({ code }) => code))('tries again after %s', (outcome) => {
    expect(effectOf({ outcome, id: queued.id, digest: queued.digest })).toMatchObject({
      kind: 'retry',
      reason: outcome,
    })
  })

  test('tries again after an outcome it does not know', () => {
    expect(effectOf({ outcome: 'RATE_LIMITED', digest: queued.digest })).toMatchObject({
      kind: 'retry',
      reason: 'RATE_LIMITED',
    })
  })
})

describe('silence says nothing', () => {
  test('tries everything again without an answer', () => {
    expect(deliver([queued], undefined)).toEqual([
      { kind: 'retry', id: queued.id, reason: 'NO_ANSWER', delaySeconds: 2.5 },
    ])
  })

  test('tries again what an answer leaves out', () => {
    const other = queuedMessage(testMessage({ id: testId(2), seq: 2 }))
    const effects = deliver([queued, other], answer([{ index: 0, outcome: 'RECEIVED', receipt }]))
    expect(effects.map(({ kind }) => kind)).toEqual(['received', 'retry'])
    expect(effects[1]).toMatchObject({ reason: 'NOT_ANSWERED' })
  })

  test('tries everything again when the request was refused, with that reason', () => {
    expect(deliver([queued], answer([], 'LINK_CLOSED'))[0]).toMatchObject({ kind: 'retry', reason: 'LINK_CLOSED' })
  })

  test('takes results by their place in the frame and passes over places that were not sent', () => {
    const other = queuedMessage(testMessage({ id: testId(2), seq: 2 }))
    const effects = deliver(
      [other, queued],
      answer([
        { index: 7, outcome: 'BUSY' },
        { index: 1, outcome: 'RECEIVED', receipt },
      ]),
    )
    expect(effects.map(({ kind, id }) => [kind, id])).toEqual([
      ['retry', other.id],
      ['received', queued.id],
    ])
  })

  test('gives every message that was sent one effect, whatever is answered', () => {
    const result = fc.record(
      {
        index: fc.nat(4),
        outcome: fc.constantFrom(...outcomes.map(({ code }) => code), 'UNHEARD_OF'),
        digest: fc.constantFrom(queued.digest, sha256('other')),
        receipt: fc.constantFrom(receipt, 'no.receipt.atall'),
      },
      { requiredKeys: ['index', 'outcome'] },
    )
    fc.assert(
      fc.property(fc.nat(3), fc.array(result, { maxLength: 6 }), (count, results) => {
        const sent = Array.from({ length: count }, (_, index) =>
          index === 0 ? queued : queuedMessage(testMessage({ id: testId(20 + index), seq: 20 + index })),
        )
        const effects = deliver(sent, answer(results))
        expect(effects.map(({ id }) => id)).toEqual(sent.map(({ id }) => id))
        const acknowledged = effects.filter(({ kind }) => kind === 'received').map(({ id }) => id)
        expect(acknowledged.filter((id) => id !== queued.id)).toEqual([])
      }),
    )
  })
})

describe('a frame is planned lane by lane', () => {
  const laneOf = (letter: string): string => `0000000${letter}-0000-4000-8000-000000000000`
  const inLane = (letter: string, seq: number, overrides: Partial<QueuedMessage> = {}): QueuedMessage =>
    queuedMessage(message, { id: `${letter}${seq}`, lane: laneOf(letter), seq, ...overrides })
  const ids = (messages: readonly QueuedMessage[]): string[] => messages.map(({ id }) => id)
  const past = testNow.toISOString()
  const big = [{ ...testPart(''), bytes: Buffer.alloc(1024 * 1024) }]

  test('sends everything that fits, in the order given', () => {
    const plan = planFrame([inLane('a', 1), inLane('a', 2), inLane('b', 1)], testNow)
    expect(ids(plan.send)).toEqual(['a1', 'a2', 'b1'])
    expect(plan.expired).toEqual([])
  })

  test('sends nothing behind an expired message of its lane, and lets the other lanes go', () => {
    const plan = planFrame(
      [inLane('a', 1), inLane('a', 2, { expiresAt: past }), inLane('a', 3), inLane('b', 1)],
      testNow,
    )
    expect(ids(plan.send)).toEqual(['a1', 'b1'])
    expect(ids(plan.expired)).toEqual(['a2'])
  })

  test('holds a message for expired in the very millisecond', () => {
    expect(planFrame([inLane('a', 1, { expiresAt: past })], testNow).send).toEqual([])
    expect(ids(planFrame([inLane('a', 1, { expiresAt: '2026-11-22T03:00:00.001Z' })], testNow).send)).toEqual(['a1'])
  })

  test('offers an expired message that may have arrived: the partner knows whether it holds it', () => {
    const plan = planFrame([inLane('a', 1, { expiresAt: past, attempts: 1 }), inLane('a', 2)], testNow)
    expect(ids(plan.send)).toEqual(['a1', 'a2'])
    expect(plan.expired).toEqual([])
  })

  test('sends nothing behind a message that does not fit, though it is smaller', () => {
    const plan = planFrame(
      [
        inLane('a', 1, { parts: big }),
        inLane('a', 2, { parts: big }),
        inLane('b', 1, { parts: big }),
        inLane('b', 2),
        inLane('c', 1),
      ],
      testNow,
    )
    expect(ids(plan.send)).toEqual(['a1', 'a2', 'c1'])
  })

  test('sends 500 messages at most', () => {
    const many = Array.from({ length: 501 }, (_, index) => inLane('a', index + 1, { parts: [] }))
    expect(planFrame(many, testNow).send.length).toBe(frameLimits.messagesMax)
  })

  test('never plans a frame over 4 MiB, and never breaks the order of a lane', () => {
    const sizes = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(1_500_000), fc.boolean()), { maxLength: 12 })
    fc.assert(
      fc.property(sizes, (drawn) => {
        const messages = drawn.map(([letter, size, fresh], index) =>
          inLane(letter, index + 1, {
            parts: [{ ...testPart(''), bytes: Buffer.alloc(size) }],
            ...(!fresh && { expiresAt: past }),
          }),
        )
        const { send, expired } = planFrame(messages, testNow)
        expect(writeFrame(send.map((each) => writeEntry(each.message, each.parts))).length).toBeLessThanOrEqual(
          frameLimits.plainBytesMax,
        )
        for (const letter of ['a', 'b', 'c']) {
          const lane = messages.filter((each) => each.lane === laneOf(letter))
          const sent = send.filter((each) => each.lane === laneOf(letter))
          expect(sent).toEqual(lane.slice(0, sent.length))
          expect(expired.filter((each) => each.lane === laneOf(letter)).length).toBeLessThanOrEqual(1)
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('retries', () => {
  test('wait a random share of a delay that doubles up to the longest', () => {
    expect([0, 1, 2, 3, 7, 8, 30, 1000].map((attempt) => retryDelaySeconds(attempt, policy, 0.999_999))).toEqual(
      [5, 10, 20, 40, 640, 900, 900, 900].map((ceiling) => expect.closeTo(ceiling, 2)),
    )
    expect(retryDelaySeconds(3, policy, 0.25)).toBe(10)
  })

  test('wait at least a tenth of the shortest delay and never more than the longest', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.double({ min: 0, max: 0.999_999_999, noNaN: true }), (attempt, random) => {
        const delay = retryDelaySeconds(attempt, policy, random)
        expect(delay).toBeGreaterThanOrEqual(0.5)
        expect(delay).toBeLessThan(900)
      }),
    )
  })
})

describe('the breaker', () => {
  const now = testNow.getTime()
  const silent = { answered: false, now, random: 0.5 }

  test('stays closed while the partner answers', () => {
    expect(foldBreaker(closedBreaker, { answered: true, now, random: 0.5 }, policy)).toEqual(closedBreaker)
    expect(foldBreaker({ failures: 4, notBefore: now }, { answered: true, now, random: 0.5 }, policy)).toEqual(
      closedBreaker,
    )
  })

  test('holds back longer with every silence, up to the longest delay', () => {
    let breaker = closedBreaker
    const delays = Array.from({ length: 12 }, () => {
      breaker = foldBreaker(breaker, silent, policy)
      return (breaker.notBefore - now) / 1000
    })
    expect(delays).toEqual([2.5, 5, 10, 20, 40, 80, 160, 320, 450, 450, 450, 450])
    expect(breaker.failures).toBe(12)
  })

  test('honours Retry-After, from a silent gateway as from an answering partner', () => {
    expect(foldBreaker(closedBreaker, { ...silent, retryAfterSeconds: 120 }, policy)).toEqual({
      failures: 1,
      notBefore: now + 120_000,
    })
    expect(foldBreaker(closedBreaker, { answered: true, now, random: 0.5, retryAfterSeconds: 30 }, policy)).toEqual({
      failures: 0,
      notBefore: now + 30_000,
    })
  })

  test('holds back for a day at most, whatever is asked, and not at all for nothing', () => {
    const years = foldBreaker(closedBreaker, { ...silent, retryAfterSeconds: 1e12 }, policy)
    expect(years.notBefore).toBe(now + 86_400_000)
    expect(foldBreaker(closedBreaker, { ...silent, retryAfterSeconds: 0 }, policy).notBefore).toBe(now + 2500)
  })
})
