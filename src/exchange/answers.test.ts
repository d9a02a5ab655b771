import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testNow } from '../../tests/builders/exchange.ts'
import { type JsonValue, type Problem, readJson } from '../kernel/index.ts'
import { answerTypes } from './answer-store.ts'
import { writeAnswerBody } from './answers.ts'
import { partBytesMax } from './message.ts'

const rejected = answerTypes.find(({ type }) => type === 'REJECTED')
const context = { partner: 'CN-GACC', mode: 'live', now: testNow } as const
const decide = (body: JsonValue | undefined) => rejected?.decide(body, context)
const limits = { lengthMax: partBytesMax, depthMax: 16, otherNumbers: 'refuse' } as const

function readBack(problems: readonly Problem[]) {
  const body = writeAnswerBody(problems)
  const read = readJson(body?.toString() ?? '', limits)
  return read.ok ? decide(read.value) : undefined
}

describe('the body of an answer', () => {
  test('is nothing when there is nothing to say, and then says nothing', () => {
    expect(writeAnswerBody([])).toBeUndefined()
    expect(decide(undefined)).toEqual({ kind: 'accepted', content: [], warnings: [] })
  })

  test('brings problems as they were found', () => {
    const problems = [
      {
        code: 'clearance/container-check-digit',
        pointer: '/containers/0/id',
        facts: { expected: '7', count: 2, sure: true },
      },
      { code: 'clearance/mass-sum', pointer: '' },
    ]
    expect(readBack(problems)).toEqual({ kind: 'accepted', content: problems, warnings: [] })
  })

  test('can be read by its own sender, whatever a partner wrote into names and values', () => {
    const problem = fc.record(
      {
        code: fc.constant('clearance/unknown-member'),
        pointer: fc.string({ unit: 'grapheme', maxLength: 400 }).map((text) => `/${text.replaceAll('\u0000', '')}`),
        facts: fc.dictionary(
          fc.constantFrom('expected', 'found', 'n'.repeat(60)),
          fc.oneof(fc.string({ maxLength: 300 }), fc.integer(), fc.double(), fc.boolean()),
        ),
      },
      { requiredKeys: ['code', 'pointer'] },
    )
    fc.assert(
      fc.property(fc.array(problem, { minLength: 1, maxLength: 20 }), (problems) => {
        expect(readBack(problems)).toMatchObject({ kind: 'accepted', content: problems.map(({ code }) => ({ code })) })
      }),
    )
  })

  test('never outgrows a part, and never says more than 2000 things', () => {
    const long = {
      code: 'clearance/x',
      pointer: `/${'я'.repeat(300)}`,
      facts: { value: '中'.repeat(300), other: '中'.repeat(300) },
    }
    const many = Array.from({ length: 5000 }, () => long)
    expect(writeAnswerBody(many)?.length).toBeLessThanOrEqual(partBytesMax)
    const decision = readBack(Array.from({ length: 5000 }, () => ({ code: 'clearance/x', pointer: '/a' })))
    expect(decision?.kind === 'accepted' && (decision.content as readonly Problem[]).length).toBe(2000)
  })

  test.each<[string, JsonValue]>([
    ['null', null],
    ['a list', []],
    ['no problems', {}],
    ['another member', { problems: [], note: '' }],
    ['a code in prose', { problems: [{ code: 'Something went wrong', pointer: '' }] }],
    ['a problem without a place', { problems: [{ code: 'clearance/x' }] }],
    ['a fact that is an object', { problems: [{ code: 'clearance/x', pointer: '', facts: { a: {} } }] }],
    ['a pointer of 201 characters', { problems: [{ code: 'clearance/x', pointer: 'x'.repeat(201) }] }],
  ])('refuses %s', (_, body) => {
    expect(decide(body)).toEqual({ kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '' }] })
  })
})

test('answers earn no answer', () => {
  expect(answerTypes.map(({ type, answered }) => [type, answered])).toEqual([
    ['ACCEPTED', false],
    ['REJECTED', false],
    ['USED', false],
    ['SKIP', false],
  ])
})
