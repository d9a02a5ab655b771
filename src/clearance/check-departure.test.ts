import { describe, expect, test } from 'vitest'
import { aDeparture, aRailwayList, builderNow } from '../../tests/builders/clearance.ts'
import { checkDeparture, checkRailwayList } from './check-departure.ts'
import type { RailwayList } from './model.ts'
import { readReference } from './reference/index.ts'
import { defaultRules } from './rule-profile.ts'

const reference = await readReference()
const found = (list: RailwayList) =>
  checkRailwayList(list, reference, defaultRules, builderNow).map(({ code, pointer }) => `${code} ${pointer}`)
const [loaded, empty] = aRailwayList().containers

test('finds nothing in a list and a departure that are in order', () => {
  expect(found(aRailwayList())).toEqual([])
  expect(checkDeparture(aDeparture(), reference, defaultRules, builderNow)).toEqual([])
})

describe("the railway's list", () => {
  test('keeps empties and defective numbers, and marks the defects', () => {
    const list = aRailwayList({
      wagons: [{ number: '5270011' }, { number: '5270012' }, { number: '95535398' }, { number: '5270012' }],
      containers: [loaded, { ...empty, id: 'XDKU1000024' }, { ...loaded, onWagon: '5270013' }].flatMap((one) =>
        one?.id ? [{ ...one, id: one.id }] : [],
      ),
    })
    expect(found(list)).toEqual([
      'clearance/container-check-digit /containers/1/id',
      'clearance/container-repeated /containers/2/id',
      'clearance/wagon-check-digit /wagons/2/number',
      'clearance/wagon-repeated /wagons/3/number',
      'clearance/wagon-not-listed /containers/2/onWagon',
    ])
  })
  test('marks an "empty" that is four tonnes too heavy, and says by how much', () => {
    const heavy = { ...empty, id: 'XDKU1000023', fullnessCode: '4' as const, grossMass: '7900' }
    const list = aRailwayList({ containers: [heavy] })
    expect(checkRailwayList(list, reference, defaultRules, builderNow)).toEqual([
      {
        code: 'clearance/empty-too-heavy',
        pointer: '/containers/0/grossMass',
        facts: { container: 'XDKU1000023', excessKg: '4000' },
      },
    ])
  })
  test('allows an empty its tare and the allowance, to the kilogram', () => {
    const weighing = (grossMass: string, tareMass?: string, sizeTypeCode?: string) =>
      found(
        aRailwayList({
          containers: [
            {
              id: 'XDKU1000023',
              fullnessCode: '4',
              grossMass,
              ...(tareMass && { tareMass }),
              ...(sizeTypeCode && { sizeTypeCode }),
            },
          ],
        }),
      )
    expect(weighing('4900', '3900')).toEqual([])
    expect(weighing('4901', '3900')).toEqual(['clearance/empty-too-heavy /containers/0/grossMass'])
    expect(weighing('3400', undefined, '22G1')).toEqual([])
    expect(weighing('3401', undefined, '22G1')).toEqual(['clearance/empty-too-heavy /containers/0/grossMass'])
    expect(weighing('5800')).toEqual([])
    expect(weighing('5801')).toEqual(['clearance/empty-too-heavy /containers/0/grossMass'])
  })
  test('marks an empty wagon that weighs as if loaded', () => {
    const wagon = { number: '95535399', loadState: 'empty' as const }
    expect(found(aRailwayList({ wagons: [{ ...wagon, netMass: '1000' }], containers: [] }))).toEqual([])
    expect(found(aRailwayList({ wagons: [{ ...wagon, netMass: '1001' }], containers: [] }))).toEqual([
      'clearance/empty-too-heavy /wagons/0/netMass',
    ])
    expect(
      found(aRailwayList({ wagons: [{ ...wagon, grossMass: '90000', tareMass: '23000' }], containers: [] })),
    ).toEqual(['clearance/empty-too-heavy /wagons/0/grossMass'])
    expect(found(aRailwayList({ wagons: [{ ...wagon, grossMass: '90000' }], containers: [] }))).toEqual([])
  })
  test('marks a loaded box without a seal among sealed ones, never an empty one', () => {
    const bare = { id: 'XDKU1000039', onWagon: '5270011' }
    const containers = [loaded, bare, empty].filter((one) => one !== undefined)
    expect(found(aRailwayList({ containers }))).toEqual(['clearance/container-without-seal /containers/1'])
  })
  test('marks an arrival before the departure and a departure in the future', () => {
    const leg = { departedAt: '2026-11-22T03:00:00Z' }
    expect(found(aRailwayList({ leg: { ...leg, arrivedAt: '2026-11-22T02:59:59Z' } }))).toEqual([
      'clearance/arrival-before-departure /leg/arrivedAt',
    ])
    expect(found(aRailwayList({ leg: { ...leg, arrivedAt: '2026-11-22T03:00:00Z' } }))).toEqual([])
    expect(found(aRailwayList({ leg: { departedAt: '2026-11-22T06:05:01Z' } }))).toEqual([
      'clearance/departure-in-future /leg/departedAt',
    ])
  })
  test('marks the station codes of the leg', () => {
    expect(found(aRailwayList({ leg: { to: { esr: '707702' } } }))).toEqual([
      'clearance/station-check-digit /leg/to/esr',
    ])
  })
})
