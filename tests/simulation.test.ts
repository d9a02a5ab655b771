import { describe, expect, test } from 'vitest'
import { outcomes } from '../src/exchange/codes.ts'
import type { AnswerPayload } from '../src/exchange/link-request.ts'
import { faultKinds } from '../tools/sim/faults.ts'
import { type Rules, soundRules } from '../tools/sim/rules.ts'
import { runSeed, type SeedReport } from '../tools/sim/run-seed.ts'
import { addReport, emptySummary } from '../tools/sim/summary.ts'

const seeds = (from: number, count: number): readonly SeedReport[] =>
  Array.from({ length: count }, (_, index) => runSeed(from + index))

describe('two simulated nodes', () => {
  test('keep every promise of the exchange under the faults of each seed', () => {
    const summary = emptySummary()
    for (const report of seeds(1, 150)) addReport(summary, report)
    expect(summary.violations).toEqual([])
    expect(summary.received).toBeGreaterThan(3000)
    // Whatever a receiver can answer was answered: no rule of the table escapes.
    const answered = new Set(Object.keys(summary.counts).map((name) => name.replace(/^(answer|result) /, '')))
    expect(outcomes.map(({ code }) => code).filter((code) => !answered.has(code))).toEqual([])
  })

  test('need no second attempt, no officer and no duplicate where nothing goes wrong', () => {
    const without = new Set(Object.keys(faultKinds))
    for (let seed = 1; seed <= 20; seed += 1) {
      const { counts, faults, messages, received, violations } = runSeed(seed, { without })
      expect(faults).toEqual({})
      expect(violations).toEqual([])
      expect(received).toBe(messages)
      expect(counts['effect retry'] ?? 0).toBe(0)
      expect(counts['effect parked'] ?? 0).toBe(0)
    }
  })

  test('keep them with more waiting than a frame can hold', () => {
    const { messages, violations } = runSeed(224)
    expect(messages).toBeGreaterThan(1000)
    expect(violations).toEqual([])
  })

  test('tell the same story twice for one seed', () => {
    for (const seed of [3, 17, 19, 54]) {
      const [first, second] = [runSeed(seed), runSeed(seed)]
      expect(second.traceDigest).toBe(first.traceDigest)
      expect(second.trace).toEqual(first.trace)
    }
  })

  test('tell another story for another seed', () => {
    expect(new Set(seeds(1, 20).map(({ traceDigest }) => traceDigest)).size).toBe(20)
  })

  test('tell the same story when every signature is another', () => {
    for (const seed of [5, 8, 13, 21]) {
      const real = runSeed(seed, { nonces: 'random' })
      expect(real.violations).toEqual([])
      expect(real.traceDigest).toBe(runSeed(seed).traceDigest)
    }
  })
})

/** Reads an answer without proving it. */
const believed = (compact: string): AnswerPayload | undefined => {
  try {
    return JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/** Takes what a sound receiver refuses with this outcome as if it were good. */
const taking =
  (outcome: string): Rules['decideFrame'] =>
  (entries, inspected, stored, holders, context) =>
    soundRules.decideFrame(entries, inspected, stored, holders, context).map((decision, index) => {
      const read = inspected[index]
      if (decision.kind !== 'refused' || decision.refusal.outcome !== outcome || !read?.ok) return decision
      const parts = Object.entries(entries[index]?.parts ?? {}).map(([name, wire]) => {
        const bytes = Buffer.from(wire, 'base64url')
        return { name, salt: bytes.subarray(0, 16), bytes: bytes.subarray(16) }
      })
      return { kind: 'store', message: read.value, parts }
    })

/** Each breaks one rule; `complaint` is what the checker must find. `from` skips seeds that do not come to break it. */
const broken: ReadonlyArray<{ name: string; rules: Partial<Rules>; complaint: RegExp; from?: number }> = [
  {
    name: 'a ledger that forgets what it holds',
    rules: { knowsDuplicates: false },
    complaint: /stands in the ledger twice|came ahead/,
  },
  {
    name: 'a sender that believes any receipt',
    rules: {
      decideDelivery: (sent, answer, context) =>
        soundRules.decideDelivery(sent, answer, context).map((effect, index) => {
          const result = answer?.results.find((each) => each.index === index)
          if (result?.outcome !== 'RECEIVED') return effect
          return { kind: 'received', id: effect.id, receipt: result.receipt ?? '', receivedAt: '' }
        }),
    },
    complaint: /held as received/,
  },
  {
    name: 'a sender that takes OK for a receipt of everything',
    rules: {
      decideDelivery: (sent, answer, context) =>
        soundRules
          .decideDelivery(sent, answer, context)
          .map((effect) =>
            effect.kind === 'retry' && answer?.outcome === 'OK'
              ? { kind: 'received', id: effect.id, receipt: '', receivedAt: '' }
              : effect,
          ),
    },
    complaint: /held as received/,
  },
  {
    name: 'a sender that believes a final refusal that does not quote its digest',
    rules: {
      decideDelivery: (sent, answer, context) =>
        soundRules.decideDelivery(sent, answer, context).map((effect, index) => {
          const result = answer?.results.find((each) => each.index === index)
          if (result?.outcome !== 'SIGNATURE_INVALID' && result?.outcome !== 'TYPE_UNKNOWN') return effect
          return { kind: 'parked', id: effect.id, lane: sent[index]?.lane ?? '', reason: result.outcome }
        }),
    },
    complaint: /nobody refused it so/,
  },
  {
    name: 'a sender that believes an answer that nobody signed',
    rules: { openAnswer: believed },
    complaint: /nobody refused it so/,
  },
  {
    name: 'a receiver that answers before it commits',
    rules: { answersAfterCommit: false },
    complaint: /is acknowledged, and the ledger does not hold it so/,
  },
  {
    name: 'a receiver that forgets to answer ACCEPTED or REJECTED',
    rules: { queuesAnswers: false },
    complaint: /its sender holds no answer/,
  },
  {
    name: 'an officer who gives a message up without a SKIP',
    rules: { fillsSkippedPlaces: false },
    complaint: /stays empty/,
  },
  {
    name: 'a receiver that leaves gaps open',
    rules: { closesGaps: false },
    complaint: /shows a gap that is filled/,
  },
  {
    name: 'a receiver that takes a test object for a live one',
    rules: {
      keepsModesApart: false,
      inspectEntry: (entry, context) => {
        const test = soundRules.inspectEntry(entry, { ...context, mode: 'test' })
        return test.ok ? test : soundRules.inspectEntry(entry, { ...context, mode: 'live' })
      },
    },
    complaint: /in the (test|live) ledger is not signed by the partner|instead of WRONG_MODE/,
  },
  {
    name: 'a receiver that does not verify signatures',
    rules: { decideFrame: taking('SIGNATURE_INVALID') },
    complaint: /is not signed by the partner/,
  },
  {
    name: 'a receiver that does not compare the parts with their digests',
    rules: { decideFrame: taking('PART_INVALID') },
    complaint: /holds other content than was submitted/,
  },
  {
    name: 'a sender that reverses its lanes',
    rules: {
      planFrame: (queued, now) => {
        const { send, expired } = soundRules.planFrame(queued, now)
        return { expired, send: send.toReversed() }
      },
    },
    complaint: /sent out of order/,
  },
  {
    name: 'a sender that lets a message overtake one that failed twice',
    rules: {
      planFrame: (queued, now) => {
        const { send, expired } = soundRules.planFrame(queued, now)
        const last = new Map(send.map(({ lane, seq }) => [lane, seq]))
        return { expired, send: send.filter(({ attempts, lane, seq }) => attempts < 2 || last.get(lane) === seq) }
      },
    },
    complaint: /overtaken in its lane/,
  },
  {
    name: 'a sender that never forgives a silent partner',
    rules: {
      foldBreaker: ({ failures }, { now }) => ({ failures: failures + 1, notBefore: now + 5000 * 2 ** failures }),
    },
    complaint: /does not come to rest/,
  },
  {
    name: 'an officer who signs anew what a disk changed',
    from: 55,
    rules: { decideResend: (parked, now) => soundRules.decideResend({ ...parked, signed: [] }, now) },
    complaint: /holds other content than was submitted/,
  },
  {
    name: 'an officer who sends into a taken place for ever',
    from: 101,
    rules: {
      placeInstead: () => 'same',
      decideResend: (parked, now) => {
        const decision = soundRules.decideResend(parked, now)
        return decision.ok && decision.value.kind === 'reissue'
          ? { ok: true, value: { kind: 'reissue', place: 'same' } }
          : decision
      },
    },
    complaint: /does not come to rest/,
  },
]

describe('the checker notices', () => {
  test.each(broken)('$name', ({ rules, complaint, from = 1 }) => {
    let found: readonly string[] = []
    for (let seed = from; seed <= 1000 && found.length === 0; seed += 1)
      found = runSeed(seed, { rules: { ...soundRules, ...rules } }).violations
    expect(found.join('\n')).toMatch(complaint)
  })
})
