import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  aCancellation,
  aClearance,
  aDeparture,
  aHomeDeclaration,
  anEligibilityContext,
  builderNow,
  type DeepPartial,
} from '../../tests/builders/clearance.ts'
import { clause } from '../../tests/clause.ts'
import { checkClearance } from './check-clearance.ts'
import { clearanceMessageType, composeClearance } from './compose-body.ts'
import { decideAdmission } from './decide-admission.ts'
import { decideEligibility, decideHeldRelease } from './decide-eligibility.ts'
import type { Clearance, Exclusion, HomeDeclaration, PartyKind } from './model.ts'
import { type Body, parseBody } from './parse-body.ts'
import { readReference } from './reference/index.ts'
import { defaultRules } from './rule-profile.ts'

const reference = await readReference()
const admit = (overrides: DeepPartial<Clearance>) =>
  decideAdmission({ type: 'EXP-CLR', content: aClearance(overrides) }, reference)
const [line] = aClearance().items

describe('what arrives', () => {
  test('is admitted when nothing prohibited shows', () => {
    const bodies: Body[] = [
      { type: 'EXP-CLR', content: aClearance() },
      { type: 'CNL', content: aCancellation() },
      { type: 'DEP', content: aDeparture() },
    ]
    for (const body of bodies) expect(decideAdmission(body, reference)).toEqual({ ok: true, value: body })
  })
  clause('STOP-2021/6.4', 'is refused unread when it bears a secrecy marking', () => {
    const items = line ? [line, { ...line, packages: [{ quantity: 1, marks: '«СЕКРЕТНО»' }] }] : []
    expect(admit({ items })).toEqual({
      ok: false,
      refusal: { code: 'clearance/prohibited-state-secret', clause: 'STOP-2021/6.4', pointer: '/items/1' },
    })
  })
  clause('STOP-2021/2.3-r2', 'is refused when it is post', () => {
    const refusal = { code: 'clearance/prohibited-postal', clause: 'STOP-2021/2.3-r2' }
    expect(admit({ documents: [{ typeCode: 'CN22' }] })).toEqual({
      ok: false,
      refusal: { ...refusal, pointer: '/documents/0/typeCode' },
    })
    expect(admit({ consignment: { borderModeCode: '5' } })).toMatchObject({ refusal })
  })
  clause('STOP-2021/2.3-r1', 'is refused when it is for personal use', () => {
    const refused = (pointer: string) => ({
      ok: false,
      refusal: { code: 'clearance/prohibited-personal-use', clause: 'STOP-2021/2.3-r1', pointer },
    })
    expect(admit({ parties: { consignee: { kind: 'natural-persons' } } })).toEqual(refused('/parties/consignee/kind'))
    expect(admit({ parties: { importer: { kind: 'natural-persons' } } })).toEqual(refused('/parties/importer/kind'))
    expect(admit({ parties: { consignee: { kind: 'natural-person' } }, documents: undefined })).toEqual(
      refused('/parties/consignee/kind'),
    )
    expect(admit({ declaration: { procedureCode: '1210' } })).toEqual(refused('/declaration/procedureCode'))
  })
  clause('STOP-2021/2.3-r1', 'is admitted for a person or an entrepreneur with a commercial document', () => {
    expect(admit({ parties: { consignee: { kind: 'natural-person' } } }).ok).toBe(true)
    expect(admit({ parties: { consignee: { kind: 'individual-entrepreneur' } }, documents: undefined }).ok).toBe(true)
  })
  clause('STOP-2021/1.2-r2', 'is refused when the goods are not cleared', () => {
    for (const statusCode of ['not-cleared', 'withdrawn', 'cancelled'] as const)
      expect(admit({ customsDecision: { statusCode } })).toMatchObject({
        refusal: { code: 'clearance/prohibited-not-cleared' },
      })
  })
})

describe('sender and receiver', () => {
  const exclusion: fc.Arbitrary<Exclusion | undefined> = fc.option(
    fc.record(
      {
        personalUse: fc.constantFrom('yes', 'no', 'no', 'unknown'),
        postal: fc.constantFrom(false, false, false, true),
        stateSecret: fc.constantFrom(false, false, false, true),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Exclusion>,
    { nil: undefined, freq: 1 },
  )
  const kind = fc.constantFrom<Array<PartyKind | undefined>>(
    'company',
    'individual-entrepreneur',
    'natural-person',
    'natural-persons',
    'unknown',
    undefined,
  )
  const home: fc.Arbitrary<HomeDeclaration> = fc
    .record({
      exclusion,
      lines: fc.array(
        fc.record({
          exclusion,
          marks: fc.constantFrom('N/M', 'N/M', 'N/M', '机密', undefined),
          weighed: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      consignee: kind,
      consignor: kind,
      importer: kind,
      documents: fc.oneof(fc.constantFrom<string[]>([], ['380'], ['N325', '851']), fc.subarray(['380', 'CN23', '936'])),
      mode: fc.constantFrom('2', '2', '2', '5', '3', undefined),
      procedureCode: fc.constantFrom('0110', '0110', '9610', undefined),
      statusCode: fc.constantFrom('cleared', 'cleared', 'cleared-after-check', 'not-cleared'),
      destinationCountry: fc.constantFrom('KZ', 'DE'),
      kind: fc.constantFrom('EX', 'TR'),
    })
    .map((one) => {
      const valid = aHomeDeclaration()
      return aHomeDeclaration({
        exclusion: one.exclusion,
        declaration: { kind: one.kind as 'EX' | 'TR', procedureCode: one.procedureCode },
        consignment: {
          borderModeCode: one.mode,
          destinationCountry: one.destinationCountry,
          destinationStation: undefined,
        },
        parties: {
          consignee: { kind: one.consignee },
          consignor: { kind: one.consignor },
          importer: { kind: one.importer },
        },
        documents: one.documents.map((typeCode) => ({ typeCode })),
        customsDecision: { statusCode: one.statusCode as 'cleared' },
        items: one.lines.flatMap(({ exclusion: said, marks, weighed }, index) => {
          const [item] = valid.items
          if (!item) return []
          const { grossMass: _, ...bare } = item
          return [
            {
              ...(weighed ? item : bare),
              sequence: index + 1,
              ...(said && { exclusion: said }),
              packages: [{ typeCode: 'CT', quantity: 3, ...(marks && { marks }) }],
            },
          ]
        }),
      })
    })

  clause(
    ['STOP-2021/2.1-r1', 'STOP-2021/2.3-r1', 'STOP-2021/2.3-r2', 'STOP-2021/6.4'],
    'agree: whatever is let out can be read and is admitted, released by an officer or not',
    () => {
      const context = anEligibilityContext(reference)
      let sent = 0
      fc.assert(
        fc.property(home, fc.boolean(), (declaration, hasPaper) => {
          const answers = hasPaper ? { commercialDocument: { typeCode: '315', id: 'K-1' } } : {}
          const direct = decideEligibility(declaration, context)
          const released = decideHeldRelease(declaration, { decision: 'release', reason: 'seen', answers }, context)
          for (const decision of [direct, released]) {
            if (decision.outcome !== 'eligible' && decision.outcome !== 'partial') continue
            sent += 1
            const warnings = checkClearance(decision.declaration, reference, defaultRules, builderNow)
            const wire = JSON.parse(JSON.stringify(composeClearance(decision.declaration, warnings)))
            const parsed = parseBody(clearanceMessageType(wire.declaration.kind, false), wire)
            expect(parsed).toMatchObject({ ok: true })
            if (parsed.ok) expect(decideAdmission(parsed.value, reference)).toEqual({ ok: true, value: parsed.value })
            expect(JSON.stringify(wire)).not.toContain('exclusion')
          }
        }),
        { numRuns: 3000, seed: 20261122 },
      )
      expect(sent).toBeGreaterThan(100)
    },
  )
})
