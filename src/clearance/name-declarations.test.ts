import { describe, expect, test } from 'vitest'
import { aDeparture, aRailwayList } from '../../tests/builders/clearance.ts'
import type { TripContext } from './match-units.ts'
import type { ConsignmentNote, ListedContainer, ListedWagon, RailwayList } from './model.ts'
import { carriedBefore, nameByNotes, nameDeclarations } from './name-declarations.ts'

const noTrips: TripContext = { ended: [], carriedBefore: new Map() }
const box: ListedContainer = { id: 'XDKU1000018' }
const told = { number: 'N-1', date: '2026-11-20' }
const departed = (departedAt: string, containers: ListedContainer[] = [], wagons: ListedWagon[] = []) =>
  aDeparture({ leg: { departedAt }, containers, wagons })
const listAt = (plannedDepartureAt: string, wagons: ListedWagon[] = []) =>
  aRailwayList({ leg: { plannedDepartureAt }, containers: wagons.length === 0 ? [box] : [], wagons })
const firstOf = ({ containers, wagons }: RailwayList) => containers[0] ?? wagons[0]

describe('a box of the railway’s own list', () => {
  const list = listAt('2026-11-22T06:00:00Z')
  const handed = departed('2026-11-22T05:00:00Z', [{ ...box, declarationIds: ['D-1'], notes: [told] }])
  test('is given what the partner’s DEP names for it, and keeps the note it has', () => {
    expect(firstOf(nameDeclarations(list, [handed], noTrips))).toEqual({
      ...box,
      declarationIds: ['D-1'],
      notes: [told],
    })
    const own = { ...list, containers: [{ ...box, notes: [{ number: 'OWN' }], declarationIds: ['D-0'] }] }
    expect(firstOf(nameDeclarations(own, [handed], noTrips))).toMatchObject({
      declarationIds: ['D-0', 'D-1'],
      notes: [{ number: 'OWN' }],
    })
  })
  test('is given what the newest DEP says', () => {
    const earlier = departed('2026-11-20T05:00:00Z', [{ ...box, declarationIds: ['OLD'] }])
    expect(firstOf(nameDeclarations(list, [handed, earlier], noTrips))?.declarationIds).toEqual(['D-1'])
  })
  test('is given nothing by a DEP of more than ten days before or a day after, or when its trip ended since', () => {
    for (const leftAt of ['2026-11-12T05:59:59Z', '2026-11-23T06:00:01Z'])
      expect(nameDeclarations(list, [departed(leftAt, handed.containers)], noTrips)).toEqual(list)
    const ended = [{ unit: box.id, legAt: '2026-11-14T05:00:00Z', endedAt: '2026-11-15T00:00:00Z' }]
    const before = departed('2026-11-14T05:00:00Z', handed.containers)
    expect(nameDeclarations(list, [before], { ...noTrips, ended })).toEqual(list)
  })
})

describe('a consignment note', () => {
  const wagon = { number: '52900016', notes: [told] }
  const list = listAt('2026-11-22T06:00:00Z', [wagon])
  const noteOf = (note: ConsignmentNote['note'], wagons: string[] = []): ConsignmentNote => ({
    note,
    wagons: wagons.map((number) => ({ number })),
    containers: [],
    goods: [],
    declarationIds: ['D-1'],
  })
  const namesBy = (note: ConsignmentNote) => firstOf(nameByNotes(list, [note]))?.declarationIds
  test('names its declarations for a unit listed under it', () => {
    expect(namesBy(noteOf(told))).toEqual(['D-1'])
  })
  test('of the same number and another date is another note', () => {
    expect(namesBy(noteOf({ ...told, date: '2025-11-20' }, [wagon.number]))).toBeUndefined()
  })
  test('of the same number alone speaks only of units it names', () => {
    expect(namesBy(noteOf({ number: told.number }))).toBeUndefined()
    expect(namesBy(noteOf({ number: told.number }, [wagon.number]))).toEqual(['D-1'])
  })
})

test('a wagon is given what was said of the wagon its goods were in before, and boxes that moved change nothing', () => {
  const moves = [
    { fromWagons: ['52900016'], toWagons: ['5270011', '5270012'] },
    { equipmentId: box.id, fromWagons: ['52900024'], toWagons: ['5270013'] },
  ]
  const leg = aRailwayList().leg
  const before = carriedBefore([{ id: 'R', station: { esr: '708507' }, fromLegs: [leg], toLegs: [leg], moves }])
  expect([...before.keys()]).toEqual(['5270011', '5270012'])
  const handed = departed('2026-11-22T05:00:00Z', [], [{ number: '52900016', declarationIds: ['D-1'] }])
  const list = listAt('2026-11-22T06:00:00Z', [{ number: '5270011' }])
  const named = nameDeclarations(list, [handed], { ...noTrips, carriedBefore: before })
  expect(firstOf(named)).toEqual({ number: '5270011', declarationIds: ['D-1'] })
})
