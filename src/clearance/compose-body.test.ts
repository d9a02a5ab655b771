import { describe, expect, test } from 'vitest'
import {
  aClearance,
  aDeparture,
  aHomeDeclaration,
  anEligibilityContext,
  aReloading,
  builderNow,
} from '../../tests/builders/clearance.ts'
import { clause } from '../../tests/clause.ts'
import { checkDeparture } from './check-departure.ts'
import { clearanceMessageType, composeCancellation, composeClearance, composeDeparture } from './compose-body.ts'
import { decideEligibility } from './decide-eligibility.ts'
import type { Departure } from './model.ts'
import { parseBody } from './parse-body.ts'
import { readReference } from './reference/index.ts'
import { defaultRules } from './rule-profile.ts'

const reference = await readReference()
const A = 'XDKU1000018'
const B = 'XDKU1000039'
const knownAt = '2026-11-21T05:00:00.000Z'
const sent = [{ clearance: aClearance(), knownAt }]

describe('a clearance', () => {
  test('travels under the type of its kind first, and as an amendment from then on', () => {
    expect([
      clearanceMessageType('EX', false),
      clearanceMessageType('TR', false),
      clearanceMessageType('EX', true),
      clearanceMessageType('TR', true),
    ]).toEqual(['EXP-CLR', 'TRN-CLR', 'AMD', 'AMD'])
  })
  test('is written with canonical decimals, its warnings, and none that came before', () => {
    const warning = {
      code: 'clearance/item-count',
      pointer: '/declaration/goodsItemQuantity',
      facts: { stated: 3, found: 2 },
    }
    const body = composeClearance(
      aClearance({ declaration: { totalGrossMass: '021200.50' }, warnings: [{ code: 'a/b', pointer: '' }] }),
      [warning, warning],
    )
    expect(body).toEqual(aClearance({ declaration: { totalGrossMass: '21200.5' }, warnings: [warning] }))
    expect(parseBody('EXP-CLR', body).ok).toBe(true)
    expect(composeClearance(aClearance(), [])).not.toHaveProperty('warnings')
  })
})

describe('a cancellation', () => {
  test('says neither why nor what', () => {
    const body = composeCancellation(aHomeDeclaration({ exclusion: { stateSecret: true } }), {
      statusCode: 'withdrawn',
      effectiveDateTime: builderNow,
    })
    expect(body).toEqual({
      declaration: { id: '941120260112345678', kind: 'EX', versionId: 1 },
      customsDecision: { statusCode: 'withdrawn', effectiveDateTime: builderNow },
    })
    expect(parseBody('CNL', body).ok).toBe(true)
  })
})

describe('a departure', () => {
  const [full, empty] = aDeparture().containers
  const other = {
    id: B,
    fullnessCode: '5' as const,
    onWagon: '5270011',
    grossMass: '22000',
    tareMass: '3900',
    packageQuantity: 800,
    seals: [{ id: 'S9' }],
  }
  const boxes = (...more: Departure['containers']) =>
    aDeparture({ containers: [full, empty, ...more].flatMap((box) => (box ? [box] : [])) })
  test('names the declarations that were sent, whether the list did or not', () => {
    const { containers } = composeDeparture(boxes(), sent, [])
    expect(containers[0]).toEqual({ ...full, declarationIds: ['941120260112345678'] })
  })
  clause(
    ['STOP-2021/2.3-r1', 'STOP-2021/6.4'],
    'lists a unit whose data are withheld exactly like one without data',
    () => {
      const withheld = composeDeparture(boxes({ ...other, declarationIds: ['SECRET-1'] }), sent, [])
      const undeclared = composeDeparture(boxes(other), sent, [])
      expect(withheld).toEqual(undeclared)
      expect(withheld.containers[2]).toEqual({
        id: B,
        fullnessCode: '5',
        onWagon: '5270011',
        tareMass: '3900',
        seals: [{ id: 'S9' }],
      })
      expect(JSON.stringify(withheld)).not.toContain('SECRET')
    },
  )
  clause('STOP-2021/2.3-r1', 'does not name a partly sent declaration on the box of its exempt lines', () => {
    const [first, second] = aHomeDeclaration().items
    const home = aHomeDeclaration({
      equipment: [{ id: A }, { id: B }],
      items: first && second ? [{ ...first, equipmentIds: [B], exclusion: { personalUse: 'yes' } }, second] : [],
    })
    const decision = decideEligibility(home, anEligibilityContext(reference))
    const clearance = decision.outcome === 'partial' ? decision.declaration : aClearance()
    const listed = { ...other, declarationIds: [home.declaration.id], notes: full?.notes ?? [] }
    const body = composeDeparture(boxes(listed), [{ clearance, knownAt }], [])
    expect(body.containers.map(({ declarationIds }) => declarationIds)).toEqual([
      [home.declaration.id],
      undefined,
      undefined,
    ])
    expect(body.containers[2]).not.toHaveProperty('grossMass')
  })
  test('keeps the masses of empties and of what was sent, and of no other wagon', () => {
    const wagons: Departure['wagons'] = [
      { number: '95535399', loadState: 'empty', grossMass: '23000', tareMass: '23000' },
      { number: '95236196', loadState: 'loaded', grossMass: '90000', netMass: '67000', tareMass: '23000' },
    ]
    const body = composeDeparture(aDeparture({ wagons, containers: [] }), [], [])
    expect(body.wagons).toEqual([wagons[0], { number: '95236196', loadState: 'loaded', tareMass: '23000' }])
    const named = composeDeparture(
      aDeparture({ wagons, containers: [] }),
      [{ clearance: aClearance({ wagons: [{ number: '95236196' }], consignment: { notes: undefined } }), knownAt }],
      [],
    )
    expect(named.wagons[1]).toMatchObject({ grossMass: '90000', declarationIds: ['941120260112345678'] })
  })
  test('tells the mass at reloading of a box that was sent, and of no other', () => {
    const reloading = aReloading({
      moves: [
        { equipmentId: A, fromWagons: ['1'], toWagons: ['2'], massAfter: '25080' },
        { equipmentId: B, fromWagons: ['1'], toWagons: ['2'], massAfter: '21980' },
        { fromWagons: ['3'], toWagons: ['4', '5'], massAfter: '60000' },
      ],
    })
    const { reloadings } = composeDeparture({ ...boxes(other), reloadings: [reloading] }, sent, [])
    expect(reloadings?.[0]?.moves.map(({ massAfter }) => massAfter)).toEqual(['25080', undefined, undefined])
  })
  test('carries no warning about an element that does not travel', () => {
    const wagons: Departure['wagons'] = [
      { number: '95236198', loadState: 'loaded', grossMass: '60000', netMass: '61000' },
    ]
    const departure = aDeparture({ wagons, containers: [] })
    const warnings = checkDeparture(departure, reference, defaultRules, builderNow)
    expect(warnings.map(({ code }) => code)).toEqual(['clearance/wagon-check-digit', 'clearance/net-over-gross'])
    expect(composeDeparture(departure, [], warnings).warnings?.map(({ code }) => code)).toEqual([
      'clearance/wagon-check-digit',
    ])
  })
  test('can be read as the body of its type', () =>
    expect(parseBody('DEP', composeDeparture(boxes(other), sent, [])).ok).toBe(true))
})
