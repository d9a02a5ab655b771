import { describe, expect, test } from 'vitest'
import { aClearance, aDeparture, aRailwayList, type DeepPartial } from '../../tests/builders/clearance.ts'
import { type Candidate, isLoaded, legIdentity, matchUnits, type TripContext } from './match-units.ts'
import type { Clearance, ConsignmentNoteReference, ListedContainer, ListedWagon, RailwayList } from './model.ts'

const [A, B] = ['XDKU1000018', 'XDKU1000039']
const noTrips: TripContext = { ended: [], carriedBefore: new Map() }
const candidate = (overrides: DeepPartial<Clearance> = {}, more: Partial<Candidate> = {}): Candidate => ({
  clearance: aClearance(overrides),
  knownAt: '2026-11-21T05:00:00.000Z',
  ...more,
})
const unitless = { equipment: [], items: aClearance().items.map(({ equipmentIds: _, ...item }) => item) }
const withoutNotes = { consignment: { notes: undefined } }
const listOf = (containers: ListedContainer[], wagons: ListedWagon[] = [], leg: DeepPartial<RailwayList['leg']> = {}) =>
  aRailwayList({ containers, wagons, leg })
const states = (list: RailwayList, candidates: Candidate[]) =>
  matchUnits(list, candidates).units.map(({ state }) => state)
const note = (number: string, more: Partial<ConsignmentNoteReference> = {}): ConsignmentNoteReference => ({
  number,
  ...more,
})
const theNote = note('30114477', { departureStation: { unLocode: 'CNXIA' }, date: '2026-11-20' })

describe('a train', () => {
  test('counts what is listed, loaded, empty, with data and without', () => {
    const list = listOf(
      [
        { id: A, onWagon: '1' },
        { id: 'XDKU1000039', onWagon: '1' },
        { id: 'XDKU1000023', fullnessCode: '4', onWagon: '2' },
      ],
      [{ number: '1' }, { number: '2' }, { number: '3', loadState: 'loaded' }, { number: '4', loadState: 'empty' }],
    )
    expect(matchUnits(list, [candidate()]).counts).toEqual({
      listed: 5,
      loaded: 3,
      empty: 2,
      withData: 1,
      withoutData: 2,
    })
  })
  test('names the declarations of each unit, where the unit stands, and a box that is one slip away', () => {
    const list = listOf([{ id: A }, { id: 'XDKU1000081' }])
    expect(matchUnits(list, [candidate()]).units).toEqual([
      {
        kind: 'container',
        id: A,
        pointer: '/containers/0',
        state: 'with-data',
        matches: [0],
        declarationIds: ['941120260112345678'],
      },
      {
        kind: 'container',
        id: 'XDKU1000081',
        pointer: '/containers/1',
        state: 'without-data',
        matches: [],
        declarationIds: [],
        closeTo: A,
      },
    ])
  })
  test('finds every declaration of a groupage box', () => {
    const many = Array.from({ length: 30 }, (_, index) => candidate({ declaration: { id: `D${index}` } }))
    expect(matchUnits(listOf([{ id: A }]), many).units[0]?.matches).toHaveLength(30)
  })
  test('is matched as a departure too', () =>
    expect(matchUnits(aDeparture(), [candidate()]).counts).toMatchObject({ withData: 1, empty: 1 }))
  test('does not count a wagon under containers, nor one whose containers name no wagon', () => {
    const wagon = { number: '1', loadState: 'loaded' as const }
    expect(states(listOf([{ id: A, onWagon: '1' }], [wagon]), [])).toEqual(['without-data'])
    expect(states(listOf([{ id: A }], [wagon]), [])).toEqual(['without-data'])
    expect(states(listOf([{ id: A }], [{ ...wagon, netMass: '60000' }]), [])).toEqual(['without-data', 'without-data'])
    expect(states(listOf([], [wagon]), [])).toEqual(['without-data'])
  })
  test('counts a wagon under a note of its own, though a container names no wagon', () => {
    const [bulk, flat] = [note('1'), note('2')]
    const wagons: ListedWagon[] = [{ number: '1', notes: [bulk] }, { number: '2', notes: [flat] }, { number: '3' }]
    expect(matchUnits(listOf([{ id: A, notes: [flat] }], wagons), []).units.map(({ id }) => id)).toEqual([A, '1'])
    expect(matchUnits(listOf([{ id: A }], wagons), []).units.map(({ id }) => id)).toEqual([A])
  })
  test('counts a unit once that is listed twice, with the notes of both', () => {
    const home = candidate({ ...unitless })
    const list = listOf([
      { id: A, notes: [note('9')] },
      { id: A, notes: [theNote] },
    ])
    expect(matchUnits(list, [home]).counts).toMatchObject({ listed: 1, withData: 1 })
  })
  test('takes a container of unstated fullness as loaded, unless its wagon carries empties', () => {
    const wagons: ListedWagon[] = [{ number: '1', loadState: 'with-empty-containers' }]
    expect(states(listOf([{ id: A, onWagon: '1' }], wagons), [])).toEqual(['empty'])
    expect(states(listOf([{ id: A }], wagons), [])).toEqual(['without-data'])
  })
})

describe('a box that rolls to another train', () => {
  test('matches without a new declaration, whatever train the clearance named', () => {
    const home = candidate({ consignment: { trainNumber: 'X8001' } })
    expect(
      states(
        listOf([{ id: A, notes: [theNote] }], [], { trainNumber: 'X8777', plannedDepartureAt: '2026-12-20T00:00:00Z' }),
        [home],
      ),
    ).toEqual(['with-data'])
  })
})

describe('a box that comes back', () => {
  const december = { plannedDepartureAt: '2026-12-07T00:00:00Z', transferListDate: '2026-12-07' }
  const again = listOf([{ id: A, notes: [note('40220011', { date: '2026-12-05' })] }], [], december)
  test('does not match the note of its earlier trip', () => {
    expect(states(again, [candidate()])).toEqual(['without-data'])
    const sameNumber = listOf([{ id: A, notes: [note('30114477', { date: '2026-12-05' })] }], [], december)
    expect(states(sameNumber, [candidate()])).toEqual(['without-data'])
  })
  test('matches its own declaration and not the earlier one', () => {
    const later = candidate({
      declaration: { id: 'NEW' },
      consignment: { notes: [note('40220011', { date: '2026-12-05' })] },
      customsDecision: { releaseDateTime: '2026-12-06T00:00:00Z' },
    })
    expect(matchUnits(again, [candidate(), later]).units[0]?.declarationIds).toEqual(['NEW'])
  })
  test('matches the newest trip where no note tells them apart', () => {
    const list = listOf([{ id: A }], [], december)
    const later = (releaseDateTime: string) =>
      candidate({ declaration: { id: 'NEW' }, ...withoutNotes, customsDecision: { releaseDateTime } })
    expect(matchUnits(list, [candidate(withoutNotes), later('2026-12-06T00:00:00Z')]).units[0]?.matches).toEqual([1])
    expect(matchUnits(list, [candidate(withoutNotes), later('2026-11-30T00:00:00Z')]).units[0]?.matches).toEqual([0, 1])
  })
  test('does not match a clearance bound the other way', () => {
    const back = listOf([{ id: A }], [], {
      from: { esr: '707701', country: 'KZ' },
      to: { unLocode: 'CNHRS', esr: undefined, country: undefined },
      ...december,
    })
    expect(states(back, [candidate(withoutNotes)])).toEqual(['without-data'])
  })
  test('does not match a trip that is over, whatever became of the other boxes of its declaration', () => {
    const list = listOf([{ id: A }, { id: B }], [], december)
    const two = candidate({ ...withoutNotes, equipment: [{ id: A }, { id: B }] })
    const statesAfter = (endedAt: string, legAt = '2026-11-22T00:00:00Z', clearance = two) =>
      matchUnits(list, [clearance], { ...noTrips, ended: [{ unit: A, legAt, endedAt }] }).units.map(
        ({ state }) => state,
      )
    expect(statesAfter('2026-11-25T00:00:00Z')).toEqual(['without-data', 'with-data'])
    expect(statesAfter('2026-12-07T09:00:00Z')).toEqual(['with-data', 'with-data'])
    // A trip before this declaration says nothing of it.
    expect(statesAfter('2026-11-25T00:00:00Z', '2026-11-01T00:00:00Z')).toEqual(['with-data', 'with-data'])
    const periodic = candidate({ ...two.clearance, declaration: { temporary: {} } })
    expect(statesAfter('2026-11-25T00:00:00Z', undefined, periodic)).toEqual(['with-data', 'with-data'])
  })
  test('matches where its list names the note or the declaration, though an earlier leg is over', () => {
    const ended = [{ unit: A, legAt: '2026-11-22T00:00:00Z', endedAt: '2026-11-25T00:00:00Z' }]
    const named = listOf([{ id: A, notes: [theNote] }], [], december)
    const declared = listOf([{ id: A, declarationIds: ['941120260112345678'] }], [], december)
    for (const list of [named, declared])
      expect(matchUnits(list, [candidate()], { ...noTrips, ended }).counts.withData).toBe(1)
  })
})

describe('goods in another wagon since the gauge break', () => {
  test('are found by the wagon that carried them before', () => {
    const home = candidate({ ...unitless, consignment: { notes: undefined }, wagons: [{ number: '95535399' }] })
    const list = listOf([], [{ number: '5270011', loadState: 'loaded' }])
    const carriedBefore = new Map([['5270011', ['95535399']]])
    expect(matchUnits(list, [home]).counts.withData).toBe(0)
    expect(matchUnits(list, [home], { ended: [], carriedBefore }).counts.withData).toBe(1)
  })
})

describe('time', () => {
  const on = (plannedDepartureAt: string) => states(listOf([{ id: A }], [], { plannedDepartureAt }), [candidate()])
  test('lets weeks of queue pass and no more than 120 days', () => {
    expect(on('2027-03-21T04:00:00.000Z')).toEqual(['with-data'])
    expect(on('2027-03-21T04:00:00.001Z')).toEqual(['without-data'])
  })
  test('lets a release follow a planned departure by a day', () => {
    expect(on('2026-11-20T04:00:00.000Z')).toEqual(['with-data'])
    expect(on('2026-11-20T03:59:59.999Z')).toEqual(['without-data'])
  })
  test('does not bound a temporary declaration', () => {
    const home = candidate({ ...unitless, declaration: { temporary: {} } })
    const list = listOf([], [{ number: '95535399', declarationIds: [home.clearance.declaration.id] }], {
      plannedDepartureAt: '2027-06-01T00:00:00Z',
    })
    expect(states(list, [home])).toEqual(['with-data'])
  })
  test('is no bound where the leg states none', () => {
    expect(states(listOf([{ id: A }], [], { plannedDepartureAt: undefined }), [candidate()])).toEqual(['with-data'])
  })
})

describe('consignment notes', () => {
  const wagon = (more: Partial<ListedWagon>): ListedWagon[] => [{ number: '95535399', ...more }]
  test('match a wagon taken at the gauge break, by number with station or date', () => {
    const home = candidate({ ...unitless, wagons: [{ number: '5270011' }], equipment: [] })
    expect(states(listOf([], wagon({ notes: [theNote] })), [home])).toEqual(['with-data'])
    expect(states(listOf([], wagon({ notes: [note('30114477', { date: '2026-11-20' })] })), [home])).toEqual([
      'with-data',
    ])
    expect(states(listOf([], wagon({ notes: [note('30114477')] })), [home])).toEqual(['without-data'])
    expect(states(listOf([], wagon({ notes: [note('30114477', { date: '2025-11-20' })] })), [home])).toEqual([
      'without-data',
    ])
  })
  test('read a station code with and without its check digit as one', () => {
    const home = candidate({
      ...unitless,
      consignment: { notes: [note('7', { departureStation: { esr: '708507' } })] },
    })
    expect(states(listOf([], wagon({ notes: [note('7', { departureStation: { esr: '70850' } })] })), [home])).toEqual([
      'with-data',
    ])
  })
  test('add no box to a clearance that states its boxes', () => {
    expect(states(listOf([{ id: 'XDKU1000023', notes: [theNote] }]), [candidate()])).toEqual(['without-data'])
  })
})

describe('declaration numbers on the list', () => {
  const declared = [{ id: 'XDKU1000023', declarationIds: ['941120260112345678'] }]
  test('match a clearance that states no unit', () =>
    expect(states(listOf(declared), [candidate(unitless)])).toEqual(['with-data']))
  test('add no box to a clearance that states its boxes, so that a box left out stays without data', () =>
    expect(states(listOf(declared), [candidate()])).toEqual(['without-data']))
})

describe('a leg', () => {
  const { leg } = aRailwayList()
  test('keeps its identity through a later list, its departure and a station code without check digit', () => {
    expect(legIdentity({ ...leg, departedAt: '2026-11-23T00:10:00Z', to: { esr: '70770' } })).toBe(legIdentity(leg))
  })
  test('differs from the same train of another day and from another transfer list', () => {
    const { transferListNumber: _, transferListDate: __, ...plain } = leg
    const identities = [
      leg,
      { ...leg, transferListNumber: 'PL-115' },
      plain,
      { ...plain, plannedDepartureAt: '2026-11-23T03:00:00Z' },
      { ...plain, trainIndex: '7077-1-7000' },
    ]
    expect(new Set(identities.map(legIdentity)).size).toBe(5)
  })
})

test('a unit is loaded when it carries goods itself', () => {
  const list = aRailwayList()
  const [full, empty] = list.containers
  const [wagon] = list.wagons
  expect(full && isLoaded({ kind: 'container', container: full }, list)).toBe(true)
  expect(empty && isLoaded({ kind: 'container', container: empty }, list)).toBe(false)
  expect(wagon && isLoaded({ kind: 'wagon', wagon }, list)).toBe(false)
})
