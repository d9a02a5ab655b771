import type {
  Arrival,
  Departure,
  HomeDeclaration,
  Leg,
  ListedContainer,
  ListedWagon,
  RailwayList,
  Reloading,
} from '../../src/clearance/model.ts'
import { declarationsCsv, railwayListCsv } from './formats-csv.ts'
import { type JsonStyle, jsonArray, jsonObject, ndjson } from './formats-json.ts'
import type { Entry, LegExpectation, Node, Planted, SampleFile } from './sample-file.ts'
import type { Consist } from './units.ts'

/** Collects what one train brings to both nodes. */
export class Train {
  readonly files: SampleFile[] = []
  readonly planted: Planted[] = []
  readonly legs: LegExpectation[] = []
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  path(name: string): string {
    return `trains/${this.id.toLowerCase()}/${name}`
  }

  private add(node: Node, name: string, format: string, entries: readonly Entry[], text: string): void {
    this.files.push({ path: this.path(name), node, format, entries, text })
  }

  ndjson(node: Node, name: string, entries: readonly Entry[], style?: JsonStyle): void {
    this.add(node, name, 'json', entries, ndjson(recordsOf(entries), style))
  }

  array(node: Node, name: string, entries: readonly Entry[], style?: JsonStyle): void {
    this.add(node, name, 'json', entries, jsonArray(recordsOf(entries), style))
  }

  /** One record in a file of its own. */
  one(node: Node, name: string, entry: Entry, style?: JsonStyle): void {
    this.add(node, name, 'json', [entry], jsonObject(entry.record, style))
  }

  list(node: Node, name: string, content: RailwayList, style?: JsonStyle): void {
    this.one(node, name, { record: { record: 'railway-list', content } }, style)
  }

  /** A railway's list as a table: the format of most carriers. */
  listCsv(node: Node, name: string, content: RailwayList, delimiter: ',' | ';'): void {
    const text = railwayListCsv(content, { delimiter, spreadsheet: delimiter === ';' })
    this.add(node, name, 'csv-railway-list', [{ record: { record: 'railway-list', content } }], text)
  }

  declarationsCsv(node: Node, name: string, entries: readonly Entry[]): void {
    this.add(
      node,
      name,
      'csv-declarations',
      entries,
      declarationsCsv(recordsOf(entries), { delimiter: ',', spreadsheet: true }),
    )
  }

  departure(node: Node, name: string, content: Departure, style?: JsonStyle): void {
    this.one(node, name, { record: { record: 'departure', content } }, style)
  }

  arrival(node: Node, name: string, content: Arrival, style?: JsonStyle): void {
    this.one(node, name, { record: { record: 'arrival', content } }, style)
  }

  reloading(node: Node, name: string, content: Reloading, style?: JsonStyle): void {
    this.one(node, name, { record: { record: 'reloading', content } }, style)
  }

  /** A file in somebody else's format. */
  foreign(node: Node, name: string, format: string, entries: readonly Entry[], text: string): void {
    this.add(node, name, format, entries, text)
  }

  /** The declaration at a position, counted from 1, of one of this train's files. */
  declaration(name: string, position: number): HomeDeclaration {
    const entry = this.files.find(({ path }) => path === this.path(name))?.entries[position - 1]
    if (entry?.record.record !== 'declaration') throw new Error(`no declaration at ${position} of ${name}`)
    return entry.record.content
  }

  plant(id: string, file: string, planted: Omit<Planted, 'id' | 'train' | 'file'>): void {
    this.planted.push({ id: `${this.id.toLowerCase()}-${id}`, train: this.id, file: this.path(file), ...planted })
  }

  count(expectation: Omit<Counted, 'train'>): void {
    this.legs.push(countLeg({ train: this.id, ...expectation }))
  }
}

const recordsOf = (entries: readonly Entry[]) => entries.map((entry) => entry.record)

/** The declaration numbers that cross the border: those an officer would let through whole or in part. */
function sentDeclarations(entries: readonly Entry[]) {
  return entries.flatMap(({ record, outcome }) =>
    record.record === 'declaration' && (outcome === 'eligible' || outcome === 'partial') ? [record.content] : [],
  )
}

/** Containers and wagons that the declarations which cross name themselves. */
export function unitsNamed(entries: readonly Entry[]): Set<string> {
  return new Set(
    sentDeclarations(entries).flatMap((declaration) => [
      ...declaration.equipment.map((box) => box.id),
      ...declaration.wagons.map((wagon) => wagon.number),
    ]),
  )
}

export function idsSent(entries: readonly Entry[]): Set<string> {
  return new Set(sentDeclarations(entries).map((declaration) => declaration.declaration.id))
}

interface Counted {
  readonly train: string
  readonly node: Node
  readonly direction: LegExpectation['direction']
  readonly leg: Leg
  readonly listVersion?: number
  readonly consist: Consist
  /** Units and declaration numbers that reach (or leave) this node. */
  readonly named: ReadonlySet<string>
  readonly ids?: ReadonlySet<string>
}

/**
 * Counts a leg as an officer does. A unit is a container, or a wagon that carries no listed container. A loaded unit
 * has data when a clearance names it, or when the railway's list names a clearance for it. Empties need none.
 */
function countLeg({
  train,
  node,
  direction,
  leg,
  listVersion = 1,
  consist,
  named,
  ids = new Set(),
}: Counted): LegExpectation {
  const carrying = new Set(consist.containers.map((container) => container.onWagon))
  const bareWagons = consist.wagons.filter((wagon) => !carrying.has(wagon.number))
  const hasData = (id: string, unit: ListedContainer | ListedWagon) =>
    named.has(id) || (unit.declarationIds ?? []).some((declarationId) => ids.has(declarationId))
  const units = [
    ...consist.containers.map((box) => ({ id: box.id, empty: box.fullnessCode === '4', data: hasData(box.id, box) })),
    ...bareWagons.map((wagon) => ({
      id: wagon.number,
      empty: wagon.loadState !== 'loaded',
      data: hasData(wagon.number, wagon),
    })),
  ]
  const loaded = units.filter((unit) => !unit.empty)
  const without = loaded.filter((unit) => !unit.data)
  return {
    train,
    node,
    direction,
    leg: {
      ...(leg.trainNumber === undefined ? {} : { trainNumber: leg.trainNumber }),
      ...(leg.trainIndex === undefined ? {} : { trainIndex: leg.trainIndex }),
      transferListNumber: leg.transferListNumber!,
      transferListDate: leg.transferListDate!,
    },
    gauge: leg.gauge!,
    from: leg.from.name!.text,
    to: leg.to.name!.text,
    listVersion,
    wagons: consist.wagons.length,
    containers: consist.containers.length,
    listed: units.length,
    loaded: loaded.length,
    empty: units.length - loaded.length,
    withData: loaded.length - without.length,
    withoutData: without.length,
    withoutDataUnits: without.map((unit) => unit.id),
  }
}

/** Where in a file a declaration stands, counted from 1. */
export function positionOf(entries: readonly Entry[], declarationId: string): number {
  const index = entries.findIndex(
    ({ record }) => record.record === 'declaration' && record.content.declaration.id === declarationId,
  )
  if (index < 0) throw new Error(`no declaration ${declarationId} in this file`)
  return index + 1
}
