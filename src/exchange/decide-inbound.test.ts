import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  china,
  digestOf,
  forgeJws,
  inboundContext,
  inspectAll,
  kazakhstan,
  messageDraft,
  mirrorSignature,
  payloadOf,
  stranger,
  testId,
  testMessage,
  testNow,
  testPart,
} from '../../tests/builders/exchange.ts'
import { outcomes } from './codes.ts'
import {
  decideFrame,
  type InboundContext,
  type InboundDecision,
  placeOf,
  type StoredMessage,
} from './decide-inbound.ts'
import type { FrameEntry } from './frame.ts'
import type { MessageDraft } from './message.ts'
import { composeReceipt } from './receipt.ts'
import type { Signer } from './strict-jws.ts'

interface Ledger {
  readonly stored?: ReadonlyMap<string, StoredMessage>
  readonly holders?: ReadonlyMap<string, string>
}

function decide(entries: readonly FrameEntry[], context: InboundContext = inboundContext(), ledger: Ledger = {}) {
  const inspected = inspectAll(entries, context)
  return decideFrame(entries, inspected, ledger.stored ?? new Map(), ledger.holders ?? new Map(), context)
}

/** What the partner would be told, in the words of the published table. */
function outcomeOf(decision: InboundDecision | undefined): string | undefined {
  if (decision?.kind === 'refused') return decision.refusal.outcome
  return decision?.kind === 'store' ? 'STORE' : decision && 'RECEIVED'
}

function outcomeFor(overrides: Partial<MessageDraft>, context?: InboundContext, ledger?: Ledger): string | undefined {
  return outcomeOf(decide([testMessage(overrides).entry], context, ledger)[0])
}

describe('the published table, in order of precedence', () => {
  /** A frame entry with everything wrong that a set of defects asks for. */
  interface Attempt {
    payload: Record<string, unknown>
    signer: Signer
    parts: Record<string, string>
    held: 'same' | 'other' | undefined
    placeHeld: boolean
  }
  const defects: Readonly<Record<string, (attempt: Attempt) => void>> = {
    MALFORMED: (attempt) => {
      attempt.payload['declarationNumber'] = '1'
    },
    WRONG_ISSUER: (attempt) => {
      attempt.payload['iss'] = 'GE-RS'
    },
    WRONG_AUDIENCE: (attempt) => {
      attempt.payload['aud'] = 'GE-RS'
    },
    WRONG_MODE: (attempt) => {
      attempt.payload['mode'] = 'test'
    },
    RECEIVED: (attempt) => {
      attempt.held = 'same'
    },
    KEY_UNKNOWN: (attempt) => {
      attempt.signer = { ...attempt.signer, kid: 'KZ-KGD.live.sign.9' }
    },
    SIGNATURE_INVALID: (attempt) => {
      attempt.signer = { ...stranger.signer('live'), kid: attempt.signer.kid }
    },
    ID_CONFLICT: (attempt) => {
      attempt.held = 'other'
    },
    NOT_YET: (attempt) => {
      attempt.payload['issuedAt'] = '2026-11-22T03:05:00.001Z'
    },
    EXPIRED: (attempt) => {
      attempt.payload['expiresAt'] = testNow.toISOString()
    },
    AGREEMENT_UNKNOWN: (attempt) => {
      attempt.payload['agreement'] = { ...(attempt.payload['agreement'] as object), id: 'OTHER' }
    },
    CONDITIONS_NOT_ACCEPTED: (attempt) => {
      attempt.payload['agreement'] = { ...(attempt.payload['agreement'] as object), conditions: '9.9' }
    },
    TYPE_UNKNOWN: (attempt) => {
      attempt.payload['type'] = 'UNHEARD'
    },
    USE_NOT_ACCEPTED: (attempt) => {
      attempt.payload['use'] = { ...(attempt.payload['use'] as object), retention: 'FOREVER' }
    },
    PART_INVALID: (attempt) => {
      attempt.parts = {}
    },
    SEQUENCE_TAKEN: (attempt) => {
      attempt.placeHeld = true
    },
  }
  const order = outcomes.filter(({ scope, code }) => scope === 'message' && code !== 'BUSY').map(({ code }) => code)
  // An id is held with one content, and a signature cannot be tried with a key that nobody knows.
  const apart = new Set(['RECEIVED ID_CONFLICT'])
  const pairs = order.flatMap((earlier, index) => order.slice(index).map((later): [string, string] => [earlier, later]))

  function outcomeWith(...names: readonly string[]): string | undefined {
    const valid = testMessage()
    const attempt: Attempt = {
      payload: payloadOf(valid.compact),
      signer: kazakhstan.signer('live'),
      parts: { ...valid.entry.parts },
      held: undefined,
      placeHeld: false,
    }
    for (const name of names) defects[name]?.(attempt)
    const message = forgeJws({ payload: attempt.payload }, attempt.signer)
    const id = valid.draft.id
    const digest =
      attempt.held === 'same' ? digestOf(message) : valid.digest.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))
    return outcomeOf(
      decide([{ message, parts: attempt.parts }], inboundContext(), {
        stored: attempt.held ? new Map([[id, { id, digest, receipt: 'stored' }]]) : new Map(),
        holders: attempt.placeHeld ? new Map([[placeOf(valid.draft), testId(99)]]) : new Map(),
      })[0],
    )
  }

  test('stores a message with no defect', () => {
    expect(outcomeWith()).toBe('STORE')
    expect(Object.keys(defects)).toEqual(order)
  })

  test.each(pairs.filter((pair) => !apart.has(pair.join(' '))))('%s comes before %s', (earlier, later) => {
    expect(outcomeWith(earlier, later)).toBe(earlier)
    expect(outcomeWith(later, earlier)).toBe(earlier)
  })

  test('answers a message with every defect as malformed, and without that as of a wrong issuer', () => {
    expect(outcomeWith(...order)).toBe('MALFORMED')
    expect(outcomeWith(...order.filter((code) => code !== 'MALFORMED'))).toBe('WRONG_ISSUER')
  })
})

describe('who, for whom and in which mode', () => {
  test('refuses our own message, reflected', () => {
    const ours = testMessage({ iss: china.id, aud: kazakhstan.id }, china.signer('live'))
    expect(outcomeOf(decide([ours.entry])[0])).toBe('WRONG_ISSUER')
  })

  test('refuses a message of the partner to a third administration', () => {
    expect(outcomeFor({ aud: stranger.id })).toBe('WRONG_AUDIENCE')
  })

  test('refuses a message that another administration signed in the partner’s name', () => {
    const forged = testMessage({}, stranger.signer('live'))
    expect(outcomeOf(decide([forged.entry])[0])).toBe('KEY_UNKNOWN')
  })

  test('refuses a test message in live and a live one in test', () => {
    expect(outcomeFor({ mode: 'test' })).toBe('WRONG_MODE')
    const inTest = inboundContext({ mode: 'test', keyring: kazakhstan.keyrings.test })
    expect(outcomeFor({ mode: 'live' }, inTest)).toBe('WRONG_MODE')
    expect(outcomeFor({ mode: 'test' }, inTest)).toBe('STORE')
  })

  test('refuses a live message that was signed with the test key', () => {
    const entry = testMessage({}, kazakhstan.signer('test')).entry
    expect(outcomeOf(decide([entry])[0])).toBe('KEY_UNKNOWN')
  })

  test('refuses a receipt and a broken text as malformed, and quotes a digest where there is one', () => {
    const receipt = composeReceipt(
      messageDraft(),
      testMessage().digest,
      testNow.toISOString(),
      kazakhstan.signer('live'),
    )
    const [first, second] = decide([
      { message: receipt, parts: {} },
      { message: 'not.compact', parts: {} },
    ])
    expect(first?.kind === 'refused' && first.refusal).toEqual({
      outcome: 'MALFORMED',
      digest: digestOf(receipt),
      reason: 'typ',
    })
    expect(second?.kind === 'refused' && second.refusal.digest).toBeUndefined()
  })
})

describe('keys', () => {
  test.each([
    ['2026-10-31T23:59:59.999Z', 'KEY_UNKNOWN'],
    ['2026-11-01T00:00:00.000Z', 'STORE'],
  ])('a message back-dated to %s, with a key valid from 1 November: %s', (issuedAt, outcome) => {
    expect(outcomeFor({ issuedAt })).toBe(outcome)
  })

  test('admits an old message whose key has expired since', () => {
    const later = inboundContext({ now: new Date('2027-02-15T00:00:00.000Z') })
    expect(outcomeFor({ issuedAt: '2027-01-29T23:59:59.999Z' }, later)).toBe('STORE')
    expect(outcomeFor({ issuedAt: '2027-01-30T00:00:00.000Z' }, later)).toBe('KEY_UNKNOWN')
  })

  test.each(['constructor', '__proto__', 'KZ-KGD.live.decrypt.1', 'KZ-KGD.root'])('knows no key %s', (kid) => {
    expect(outcomeOf(decide([testMessage({}, { ...kazakhstan.signer('live'), kid }).entry])[0])).toBe('KEY_UNKNOWN')
  })
})

describe('time', () => {
  test.each([
    ['2026-11-22T03:05:00.000Z', 'STORE'],
    ['2026-11-22T03:05:00.001Z', 'NOT_YET'],
    ['2026-11-22T02:00:00.000Z', 'STORE'],
  ])('issued at %s by a clock that is at 03:00: %s', (issuedAt, outcome) => {
    expect(outcomeFor({ issuedAt })).toBe(outcome)
  })

  test.each([
    ['2026-11-22T02:59:59.999Z', 'EXPIRED'],
    ['2026-11-22T03:00:00.000Z', 'EXPIRED'],
    ['2026-11-22T03:00:00.001Z', 'STORE'],
  ])('expires at %s by a clock that is at 03:00: %s', (expiresAt, outcome) => {
    expect(outcomeFor({ expiresAt })).toBe(outcome)
  })
})

describe('duplicates and conflicts', () => {
  const message = testMessage()
  const { id } = message.draft
  const stored = new Map([[id, { id, digest: message.digest, receipt: 'the stored receipt' }]])

  test('answers a message it holds with the stored receipt', () => {
    expect(decide([message.entry], inboundContext(), { stored })[0]).toMatchObject({
      kind: 'duplicate',
      receipt: 'the stored receipt',
    })
  })

  test('does so whatever else has changed: keys, versions, time, parts', () => {
    const later = inboundContext({
      now: new Date('2030-01-01T00:00:00.000Z'),
      accepted: new Map(),
      types: new Set(),
      keyring: stranger.keyrings.live,
    })
    const [decision] = decide([{ ...message.entry, parts: {} }], later, { stored })
    expect(decision?.kind).toBe('duplicate')
  })

  test('holds the mirrored signature for the same message', () => {
    const [decision] = decide([{ ...message.entry, message: mirrorSignature(message.compact) }], inboundContext(), {
      stored,
    })
    expect(decision?.kind).toBe('duplicate')
  })

  test('refuses the same id with other content, and says so only to who could sign it', () => {
    expect(outcomeFor({ seq: 2 }, undefined, { stored })).toBe('ID_CONFLICT')
    const forged = testMessage({ seq: 2 }, { ...stranger.signer('live'), kid: 'KZ-KGD.live.sign.1' })
    expect(outcomeOf(decide([forged.entry], inboundContext(), { stored })[0])).toBe('SIGNATURE_INVALID')
  })

  test('gives a message that stands twice in one frame one place and one receipt', () => {
    const other = testMessage({ id: testId(2), seq: 2 })
    const decisions = decide([message.entry, other.entry, message.entry, message.entry])
    expect(decisions.map(({ kind }) => kind)).toEqual(['store', 'store', 'repeated', 'repeated'])
    expect(decisions[3]).toMatchObject({ kind: 'repeated', ofIndex: 0 })
  })

  test('refuses the second of two contents under one id in one frame', () => {
    const other = testMessage({ seq: 2 })
    expect(decide([message.entry, other.entry]).map(outcomeOf)).toEqual(['STORE', 'ID_CONFLICT'])
  })

  test('judges a repeated message on its own when the first was refused', () => {
    const withoutPart = { ...message.entry, parts: {} }
    expect(decide([withoutPart, message.entry, withoutPart]).map(outcomeOf)).toEqual([
      'PART_INVALID',
      'STORE',
      'RECEIVED',
    ])
  })
})

describe('places in a lane', () => {
  const place = placeOf(messageDraft())

  test('refuses a second message for a place that is taken', () => {
    expect(outcomeFor({}, undefined, { holders: new Map([[place, testId(99)]]) })).toBe('SEQUENCE_TAKEN')
  })

  test('refuses it within one frame too', () => {
    const entries = [testMessage().entry, testMessage({ id: testId(2) }).entry]
    expect(decide(entries).map(outcomeOf)).toEqual(['STORE', 'SEQUENCE_TAKEN'])
  })

  test('admits what refers to the message it stands in for', () => {
    const holders = new Map([[place, testId(99)]])
    expect(outcomeFor({ type: 'SKIP', ref: testId(99), parts: [] }, undefined, { holders })).toBe('STORE')
    expect(outcomeFor({ type: 'SKIP', ref: testId(98), parts: [] }, undefined, { holders })).toBe('SEQUENCE_TAKEN')
  })

  test('does not refuse a message for the place that it holds itself', () => {
    expect(outcomeFor({}, undefined, { holders: new Map([[place, messageDraft().id]]) })).toBe('STORE')
  })

  test('holds the same number in another epoch or lane for another place', () => {
    const holders = new Map([[place, testId(99)]])
    expect(outcomeFor({ epoch: 2 }, undefined, { holders })).toBe('STORE')
    expect(outcomeFor({ lane: '00000000-0000-4000-8000-000000000000' }, undefined, { holders })).toBe('STORE')
  })
})

describe('what the agreement allows', () => {
  test('admits two versions of the conditions while they overlap', () => {
    const both = inboundContext({ accepted: new Map([['STOP-2021', new Set(['1.0', '1.1'])]]) })
    expect(outcomeFor({ agreement: { id: 'STOP-2021', conditions: '1.1' } }, both)).toBe('STORE')
    expect(outcomeFor({ agreement: { id: 'STOP-2021', conditions: '1.1' } })).toBe('CONDITIONS_NOT_ACCEPTED')
  })

  test('knows a type only with its version', () => {
    expect(outcomeFor({ version: 2 })).toBe('TYPE_UNKNOWN')
  })
})

describe('parts', () => {
  const body = testPart()
  const message = testMessage()
  const wire = message.entry.parts['body'] ?? ''
  const attempt = (parts: Record<string, string>, of = message) =>
    outcomeOf(decide([{ message: of.compact, parts }])[0])
  const base64 = (bytes: Buffer): string => bytes.toString('base64url')

  test.each<[string, Record<string, string>]>([
    ['missing', {}],
    ['superfluous', { body: wire, annex: wire }],
    ['under another name', { annex: wire }],
    ['inherited and not there', Object.create({ body: wire }) as Record<string, string>],
    ['named __proto__', JSON.parse(`{"__proto__":${JSON.stringify(wire)}}`) as Record<string, string>],
    [
      'besides one named __proto__',
      JSON.parse(`{"body":${JSON.stringify(wire)},"__proto__":"e30"}`) as Record<string, string>,
    ],
    ['shorter than a salt', { body: 'e30' }],
    ['empty', { body: '' }],
    ['one byte longer', { body: base64(Buffer.concat([body.salt, body.bytes, Buffer.from(' ')])) }],
    ['one byte shorter', { body: base64(Buffer.concat([body.salt, body.bytes.subarray(1)])) }],
    ['of other bytes', { body: base64(Buffer.concat([body.salt, Buffer.from(body.bytes.toString().toUpperCase())])) }],
    ['with another salt', { body: base64(Buffer.concat([Buffer.alloc(16), body.bytes])) }],
    ['without its salt', { body: base64(body.bytes) }],
    ['with padding', { body: `${wire}=` }],
    ['that is no base64url', { body: '***' }],
  ])('refuses a message whose part is %s', (_, parts) => {
    expect(attempt(parts)).toBe('PART_INVALID')
  })

  test('opens every part of a message', () => {
    const parts = [testPart('{"a":1}'), testPart('annex', 'annex'), testPart('', 'empty')]
    const [decision] = decide([testMessage({ parts }).entry])
    expect(decision?.kind === 'store' && decision.parts.map(({ name, bytes }) => [name, bytes.toString()])).toEqual([
      ['body', '{"a":1}'],
      ['annex', 'annex'],
      ['empty', ''],
    ])
  })

  test('refuses two parts that were exchanged', () => {
    const two = testMessage({ parts: [testPart('one!', 'one'), testPart('two!', 'two')] })
    const { one = '', two: second = '' } = two.entry.parts
    expect(attempt({ one: second, two: one }, two)).toBe('PART_INVALID')
  })

  test('admits a message without parts', () => {
    expect(outcomeFor({ parts: [] })).toBe('STORE')
  })
})

test('never lets one bad message cost the others', () => {
  const good = Array.from({ length: 5 }, (_, index) => testMessage({ id: testId(10 + index), seq: 1 + index }))
  const bad: readonly FrameEntry[] = [
    { message: '', parts: {} },
    { message: testMessage({ id: testId(50), seq: 50 }).compact, parts: {} },
    testMessage({ id: testId(51), seq: 51, mode: 'test' }).entry,
    testMessage({ id: testId(52), seq: 52 }, stranger.signer('live')).entry,
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray([...good.map(({ entry }) => entry), ...bad], { minLength: 9 }), (entries) => {
      const decided = decide(entries).filter(({ kind }) => kind === 'store')
      expect(decided.length).toBe(good.length)
    }),
  )
})

test('never throws on any entry', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.string()), (message, parts) => {
      expect(outcomeOf(decide([{ message, parts }])[0])).toBe('MALFORMED')
    }),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string(), { minKeys: 1 }), (parts) => {
      expect(outcomeOf(decide([{ message: testMessage().compact, parts }])[0])).toBe('PART_INVALID')
    }),
  )
})
