import fc from 'fast-check'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import {
  aCancellation,
  aClearance,
  aDeparture,
  aDiscrepancy,
  aHomeDeclaration,
  anArrival,
  aRailwayList,
  aReloading,
} from '../../tests/builders/clearance.ts'
import { clause } from '../../tests/clause.ts'
import { findSchemaDefects, PROBLEMS_MAX } from './find-schema-defects.ts'
import { Clearance } from './model.ts'
import { bodySchemas, parseBody, parseRecord } from './parse-body.ts'

function problemsOf(messageType: string, body: unknown): ReadonlyArray<{ code: string; pointer: string }> {
  const parsed = parseBody(messageType, body)
  return parsed.ok ? [] : parsed.refusal.problems
}
const withMember = (path: readonly string[], value: unknown): unknown => {
  const body = structuredClone(aClearance()) as unknown as Record<string, unknown>
  let held = body
  for (const name of path.slice(0, -1)) held = held[name] as Record<string, unknown>
  const last = path[path.length - 1] ?? ''
  if (value === undefined && Array.isArray(held)) held.splice(Number(last), 1)
  else if (value === undefined) delete held[last]
  else held[last] = value
  return body
}

describe('a body that has the form of its type', () => {
  clause('STOP-2021/1.4-r1', 'admits a valid body of every message type', () => {
    const transit = aClearance({ declaration: { kind: 'TR' } })
    const bodies = {
      'EXP-CLR': aClearance(),
      'TRN-CLR': transit,
      AMD: transit,
      CNL: aCancellation(),
      DEP: aDeparture(),
      ARR: anArrival(),
      DSC: aDiscrepancy(),
    }
    for (const [type, body] of Object.entries(bodies))
      expect(parseBody(type, body)).toEqual({ ok: true, value: { type, content: body } })
  })
  test('admits a valid record of every kind', () => {
    const records = {
      declaration: aHomeDeclaration({ exclusion: { personalUse: 'no' } }),
      cancellation: aCancellation(),
      'railway-list': aRailwayList(),
      departure: aDeparture(),
      arrival: anArrival(),
      discrepancy: aDiscrepancy(),
      reloading: aReloading(),
    }
    for (const [record, content] of Object.entries(records)) expect(parseRecord(record, content).ok, record).toBe(true)
  })
  test('admits decimals with needless zeros, since only the unreadable is refused', () => {
    expect(problemsOf('EXP-CLR', withMember(['declaration', 'totalGrossMass'], '021200.50'))).toEqual([])
  })
})

describe('a body that has not', () => {
  clause('STOP-2021/1.4-r1', 'refuses each defect with its own code and the JSON pointer of its place', () => {
    const cases: ReadonlyArray<readonly [string[], unknown, string, string]> = [
      [['declaration', 'id'], undefined, 'clearance/element-missing', '/declaration/id'],
      [['declaration', 'versionId'], undefined, 'clearance/element-missing', '/declaration/versionId'],
      [['declaration', 'versionId'], 0, 'clearance/out-of-range', '/declaration/versionId'],
      [['declaration', 'versionId'], 1.5, 'clearance/wrong-type', '/declaration/versionId'],
      [['declaration', 'versionId'], '1', 'clearance/wrong-type', '/declaration/versionId'],
      [['declaration', 'kind'], 'IM', 'clearance/code-not-in-list', '/declaration/kind'],
      [['declaration', 'id'], '', 'clearance/empty', '/declaration/id'],
      [['declaration', 'id'], ' \u200b', 'clearance/not-identifiable', '/declaration/id'],
      [['declaration', 'id'], '9'.repeat(71), 'clearance/too-long', '/declaration/id'],
      [['declaration', 'id'], 'a\u0007b', 'clearance/control-character', '/declaration/id'],
      [['declaration', 'totalGrossMass'], '1e3', 'clearance/format', '/declaration/totalGrossMass'],
      [['declaration', 'totalGrossMass'], 21200, 'clearance/wrong-type', '/declaration/totalGrossMass'],
      [['consignment', 'exportCountry'], 'CHN', 'clearance/format', '/consignment/exportCountry'],
      [['consignment', 'destinationStation'], {}, 'clearance/too-few', '/consignment/destinationStation'],
      [['items'], [], 'clearance/too-few', '/items'],
      [['wagons'], null, 'clearance/wrong-type', '/wagons'],
      [['customsDecision', 'statusCode'], 'ok', 'clearance/code-not-in-list', '/customsDecision/statusCode'],
      [
        ['customsDecision', 'releaseDateTime'],
        '2026-02-30T00:00:00Z',
        'clearance/no-such-instant',
        '/customsDecision/releaseDateTime',
      ],
      [
        ['customsDecision', 'releaseDateTime'],
        '2026-02-28 00:00',
        'clearance/format',
        '/customsDecision/releaseDateTime',
      ],
      [
        ['customsDecision', 'transitLimitDate'],
        '2026-02-30',
        'clearance/no-such-date',
        '/customsDecision/transitLimitDate',
      ],
      [['exclusion'], { postal: false }, 'clearance/element-unknown', '/exclusion'],
      [['a/b~'], 1, 'clearance/element-unknown', ''],
    ]
    for (const [path, value, code, pointer] of cases)
      expect(problemsOf('EXP-CLR', withMember(path, value)), path.join('.')).toEqual([
        expect.objectContaining({ code, pointer }),
      ])
  })
  test('refuses fields of the envelope inside the body', () => {
    for (const name of ['messageId', 'iss', 'aud', 'signature', 'seq', 'lane', 'mode'])
      expect(problemsOf('EXP-CLR', { ...aClearance(), [name]: 'x' })).toEqual([
        { code: 'clearance/envelope-in-body', pointer: `/${name}` },
      ])
  })
  test('refuses what is no object, once', () => {
    for (const body of [null, [], 'x', 7, true])
      expect(problemsOf('DEP', body)).toEqual([
        { code: 'clearance/wrong-type', pointer: '', facts: { expected: 'object' } },
      ])
  })
  test('refuses an unknown message type and an unknown record', () => {
    expect(problemsOf('LCK', {})).toEqual([{ code: 'clearance/message-type-unknown', pointer: '' }])
    expect(problemsOf('toString', {})).toEqual([{ code: 'clearance/message-type-unknown', pointer: '' }])
    expect(parseRecord('import', {})).toMatchObject({
      ok: false,
      refusal: { problems: [{ code: 'clearance/record-unknown' }] },
    })
  })
  test('refuses a transit under the message of exports and the reverse', () => {
    const refused = [expect.objectContaining({ code: 'clearance/kind-contradicts-type', pointer: '/declaration/kind' })]
    expect(problemsOf('EXP-CLR', aClearance({ declaration: { kind: 'TR' } }))).toEqual(refused)
    expect(problemsOf('TRN-CLR', aClearance())).toEqual(refused)
  })
  test('never lists more problems than a list is read for', () => {
    const items = Array.from({ length: 500 }, () => ({ sequence: 0 }))
    const problems = problemsOf('EXP-CLR', { ...aClearance(), items })
    expect(problems).toHaveLength(PROBLEMS_MAX + 1)
    expect(problems[PROBLEMS_MAX]).toEqual({ code: 'clearance/more-problems', pointer: '' })
  })
  test('shows no member name that nobody could have meant', () => {
    const [problem] = problemsOf('EXP-CLR', { ...aClearance(), ['иванов'.repeat(20)]: 1 })
    expect(problem).toEqual({ code: 'clearance/element-unknown', pointer: '' })
  })
})

describe('the list of defects', () => {
  const shapes = fc.jsonValue({ maxDepth: 4 })
  test('is empty exactly when the compiled schema accepts, whatever stands at any place', () => {
    const validator = Compile(Clearance)
    const paths = allPaths(aClearance())
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.oneof(shapes, fc.constant(undefined)), (path, value) => {
        const body = withMember(path, value)
        expect(findSchemaDefects(Clearance, body).length === 0).toBe(validator.Check(body))
      }),
      { numRuns: 1000 },
    )
  })
  test('is made without a throw from any JSON, for every message type', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(bodySchemas)), shapes, (type, body) => {
        expect(parseBody(type, body).ok).toBe(false)
      }),
    )
  })
})

function allPaths(value: unknown, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...path]]
  return [
    ...(path.length > 0 ? [[...path]] : []),
    ...Object.entries(value).flatMap(([name, held]) => allPaths(held, [...path, name])),
  ]
}
