import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aClearance, aRailwayList } from '../../tests/builders/clearance.ts'
import { drawsOf, foldBalance } from './fold-balance.ts'
import type { ListedWagon } from './model.ts'

const temporary = aClearance({
  declaration: { id: '55301/011126/0000077', temporary: { validUntil: '2027-04-30', netMass: '5000000' } },
  consignment: { exportCountry: 'KZ', destinationCountry: 'CN', notes: undefined },
  equipment: [],
  items: aClearance().items.map(({ equipmentIds: _, ...item }) => item),
})
const draw = (leg: string, netMass: string, more: object = {}) => ({ leg, netMass, units: 62, ...more })

describe('the balance of a temporary declaration', () => {
  test('is what trains left of the declared mass', () => {
    const balance = foldBalance(temporary, [draw('T4a', '1738000'), draw('T4b', '1738000.5')])
    expect(balance).toEqual({
      declaredKg: '5000000',
      drawnKg: '3476000.5',
      leftKg: '1523999.5',
      legs: 2,
      units: 124,
      unweighedUnits: 0,
      warnings: [],
    })
  })
  test('warns only when more was drawn than declared', () => {
    expect(foldBalance(temporary, [draw('a', '5000000')])).toMatchObject({ leftKg: '0', warnings: [] })
    expect(foldBalance(temporary, [draw('a', '5000000.1')])).toMatchObject({
      leftKg: '-0.1',
      warnings: [
        {
          code: 'clearance/balance-overdrawn',
          pointer: '/declaration/temporary/netMass',
          facts: { declaredKg: '5000000', drawnKg: '5000000.1' },
        },
      ],
    })
  })
  test('counts a leg that is listed again as it came last', () => {
    expect(foldBalance(temporary, [draw('a', '100'), draw('b', '10'), draw('a', '90')])).toMatchObject({
      drawnKg: '100',
      legs: 2,
    })
  })
  test('says how much of it was not weighed and what left after its last day', () => {
    const { warnings } = foldBalance(temporary, [
      draw('a', '100', { unweighedUnits: 3, departedAt: '2027-04-30T23:00:00Z' }),
      draw('b', '100', { departedAt: '2027-05-01T00:00:00Z' }),
    ])
    expect(warnings).toEqual([
      { code: 'clearance/balance-unweighed', pointer: '/declaration/temporary', facts: { units: 3 } },
      { code: 'clearance/balance-after-term', pointer: '/declaration/temporary/validUntil', facts: { legs: 1 } },
    ])
  })
  test('falls back on the total net mass, and states nothing left where none is declared', () => {
    const declared = (declaration: object) =>
      foldBalance({ declaration: { id: 'x', kind: 'EX', versionId: 1, ...declaration } }, [draw('a', '40')])
    expect(declared({ totalNetMass: '100', temporary: {} }).leftKg).toBe('60')
    expect(declared({ temporary: {} })).toMatchObject({
      declaredKg: undefined,
      leftKg: undefined,
      drawnKg: '40',
      warnings: [],
    })
  })
  test('is the same in whatever order trains are counted', () => {
    const draws = fc.uniqueArray(fc.record({ leg: fc.string(), netMass: fc.nat().map(String), units: fc.nat(62) }), {
      selector: ({ leg }) => leg,
    })
    fc.assert(
      fc.property(draws, (all) => {
        expect(foldBalance(temporary, [...all].reverse())).toEqual(foldBalance(temporary, all))
      }),
    )
  })
})

describe('what a train draws', () => {
  const declarationIds = [temporary.declaration.id]
  const leg = { from: { esr: '707701', country: 'KZ' }, to: { unLocode: 'CNHRS', country: 'CN' } }
  const wagons: ListedWagon[] = [
    { number: '95535399', netMass: '60000', declarationIds },
    { number: '95236196', grossMass: '90000', tareMass: '23000', declarationIds },
    { number: '52700110', grossMass: '90000', declarationIds },
    { number: '52700111', netMass: '1', declarationIds: ['another'] },
    { number: '52700112', loadState: 'empty' },
  ]
  test('is the net mass of its units, or gross less tare, and counts those it cannot weigh', () => {
    expect(drawsOf(aRailwayList({ wagons, containers: [], leg }), temporary)).toEqual({
      netMass: '127000',
      units: 3,
      unweighedUnits: 1,
    })
  })
  test('is read of containers too', () => {
    const containers = [{ id: 'XDKU1000018', grossMass: '28500', tareMass: '2300', declarationIds }]
    expect(drawsOf(aRailwayList({ wagons: [], containers, leg }), temporary)).toEqual({
      netMass: '26200',
      units: 1,
      unweighedUnits: 0,
    })
  })
  test('is nothing from a train that names another declaration', () => {
    expect(drawsOf(aRailwayList({ wagons: wagons.slice(3), containers: [], leg }), temporary)).toEqual({
      netMass: '0',
      units: 0,
      unweighedUnits: 0,
    })
  })
})
