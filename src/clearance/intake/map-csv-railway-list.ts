import type { HomeRecord, ListedContainer, ListedWagon, RailwayList } from '../model.ts'
import type { RowReading } from './reading-rows.ts'
import type { SourceNode } from './source-tree.ts'
import { distinct, present, someOf, wagonIdType } from './values.ts'

type Note = NonNullable<ListedWagon['notes']>[number]

/**
 * Maps the rows of one transfer list or consist of the documented table: a row is a wagon, a container, or a container
 * on a wagon. Rows that name a unit again add to it and may not contradict it.
 *
 * @returns the record, or undefined when the reading holds at least one problem
 */
export function mapCsvRailwayList(rows: RowReading): HomeRecord | undefined {
  const r = rows.reading
  const wagons = new Map<string, ListedWagon>()
  const containers = new Map<string, ListedContainer>()
  for (const row of rows.rows) {
    const wagon = wagonOf(rows, row)
    const container = containerOf(rows, row, wagon?.number)
    const notes = notesOf(rows, row)
    const declarationIds = someOf(rows.list(rows.cell(row, 'declarationIds'), r.identifier(70)))
    if (wagon === undefined && container === undefined) r.missing(row, ['wagonNumber|containerId'])
    if (wagon !== undefined) {
      const own = container === undefined ? present({ ...wagon, notes: someOf(notes), declarationIds }) : wagon
      wagons.set(wagon.number, merged(rows, row, wagonValues, wagons.get(wagon.number), own))
    }
    if (container !== undefined) {
      // A box that stands on two wagons is a defect of the list, and is kept as one.
      const at = `${container.id} ${container.onWagon ?? ''}`
      const own = present({ ...container, notes: someOf(notes), declarationIds })
      containers.set(at, merged(rows, row, containerValues, containers.get(at), own))
    }
  }
  const station = (name: string) => {
    const found = rows.station(rows.shared(name), rows.shared(`${name}Name`), rows.shared(`${name}Country`))
    if (found === undefined) r.missing(rows.first, [name])
    return found ?? {}
  }
  const content: RailwayList = present({
    leg: present({
      trainNumber: rows.may('trainNumber', r.identifier(17)),
      trainIndex: rows.may('trainIndex', r.identifier(15)),
      transferListNumber: rows.may('transferListNumber', r.identifier(17)),
      transferListDate: rows.may('transferListDate', r.date),
      gauge: rows.may('gauge', listed(/^(1435|1520)$/, '1435|1520')) as RailwayList['leg']['gauge'],
      from: station('from'),
      to: station('to'),
      plannedDepartureAt: rows.may('plannedDepartureAt', r.instant),
      departedAt: rows.may('departedAt', r.instant),
      plannedArrivalAt: rows.may('plannedArrivalAt', r.instant),
      arrivedAt: rows.may('arrivedAt', r.instant),
    }),
    listVersion: rows.may('listVersion', r.integer(1, 9999)),
    wagons: [...wagons.values()],
    containers: [...containers.values()],
  })
  return r.problems.some ? undefined : { record: 'railway-list', content }

  function listed(pattern: RegExp, expected: string) {
    return (node: SourceNode) =>
      pattern.test(node.text ?? '') ? node.text : r.refuse('intake/value-not-listed', node, { expected })
  }

  function wagonOf(of: RowReading, row: SourceNode): ListedWagon | undefined {
    const number = r.may(of.cell(row, 'wagonNumber'), r.unit)
    if (number === undefined) return undefined
    return present({
      sequence: r.may(of.cell(row, 'wagonSequence'), r.integer(0, 99_999)),
      number,
      idTypeCode: wagonIdType(number),
      ownerRailway: r.may(of.cell(row, 'ownerRailway'), r.identifier(17)),
      tareMass: r.may(of.cell(row, 'wagonTareMass'), r.mass),
      grossMass: r.may(of.cell(row, 'wagonGrossMass'), r.mass),
      netMass: r.may(of.cell(row, 'wagonNetMass'), r.mass),
      loadState: r.may(
        of.cell(row, 'loadState'),
        listed(/^(loaded|empty|with-empty-containers)$/, 'loaded|empty|with-empty-containers'),
      ) as ListedWagon['loadState'],
      seals: someOf(of.list(of.cell(row, 'wagonSeals'), r.identifier(50)).map((id) => ({ id }))),
    })
  }

  function containerOf(of: RowReading, row: SourceNode, onWagon: string | undefined): ListedContainer | undefined {
    const id = r.may(of.cell(row, 'containerId'), r.unit)
    if (id === undefined) return undefined
    return present({
      id,
      sizeTypeCode: r.may(of.cell(row, 'sizeTypeCode'), r.identifier(4)),
      fullnessCode: r.may(of.cell(row, 'fullnessCode'), listed(/^[45]$/, '4|5')) as ListedContainer['fullnessCode'],
      onWagon,
      grossMass: r.may(of.cell(row, 'containerGrossMass'), r.mass),
      tareMass: r.may(of.cell(row, 'containerTareMass'), r.mass),
      packageQuantity: r.may(of.cell(row, 'packageQuantity'), r.integer(0, 99_999_999)),
      seals: someOf(of.list(of.cell(row, 'containerSeals'), r.identifier(50)).map((each) => ({ id: each }))),
    })
  }
}

function notesOf(rows: RowReading, row: SourceNode): Note[] {
  const r = rows.reading
  const typeCode = r.may(rows.cell(row, 'noteTypeCode'), r.identifier(3))
  const date = r.may(rows.cell(row, 'noteDate'), r.date)
  const departureStation = rows.station(rows.cell(row, 'noteStation'), undefined, undefined)
  return rows
    .list(rows.cell(row, 'noteNumber'), r.identifier(35))
    .map((number) => present({ number, typeCode, departureStation, date }))
}

const wagonValues = ['sequence', 'ownerRailway', 'tareMass', 'grossMass', 'netMass', 'loadState'] as const
const containerValues = ['sizeTypeCode', 'fullnessCode', 'grossMass', 'tareMass', 'packageQuantity'] as const

/**
 * A unit that several rows name, as a wagon under containers or a box under several consignment notes: what one row
 * leaves open another fills, and lists are joined.
 */
function merged<Unit extends ListedWagon | ListedContainer>(
  rows: RowReading,
  row: SourceNode,
  values: readonly (keyof Unit & string)[],
  known: Unit | undefined,
  unit: Unit,
): Unit {
  if (known === undefined) return unit
  for (const name of values)
    if (known[name] !== undefined && unit[name] !== undefined && known[name] !== unit[name])
      rows.reading.refuse('intake/csv-rows-disagree', row, { element: name })
  return present({
    ...known,
    ...unit,
    seals: someOf(distinct([...(known.seals ?? []), ...(unit.seals ?? [])])),
    notes: someOf(distinct([...(known.notes ?? []), ...(unit.notes ?? [])])),
    declarationIds: someOf([...new Set([...(known.declarationIds ?? []), ...(unit.declarationIds ?? [])])]),
  })
}
