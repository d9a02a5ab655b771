import {
  type BodySchemaName,
  type DataItem,
  type DataItemsFile,
  listElements,
  publishedSchemas,
  type Sentences,
} from '../../src/clearance/index.ts'

/** Words for elements, by the end of their path. `+` stands for any one step; the longest match is taken. */
export type ElementWords = Readonly<Record<string, Sentences>>

/** Groups whose members are described once, wherever they stand: the step above a member names its group. */
const groups: Readonly<Record<string, string>> = {
  consignor: 'Party',
  consignee: 'Party',
  exporter: 'Party',
  importer: 'Party',
  declarant: 'Party',
  carriers: 'Party',
  departureStation: 'Station',
  destinationStation: 'Station',
  borderStations: 'Station',
  from: 'Station',
  to: 'Station',
  station: 'Station',
  equipment: 'Container',
  containers: 'Container',
  leg: 'Leg',
  fromLegs: 'Leg',
  toLegs: 'Leg',
}

/** @returns the key of the words for a path, or undefined when nothing describes it */
export function findWords(words: ElementWords, path: string): string | undefined {
  const steps = path.slice(1).split('/')
  const parent = steps.slice(0, -1).findLast((step) => step !== '*')
  const grouped = `${groups[parent ?? '']}/${steps.at(-1)}`
  if (Object.hasOwn(words, grouped)) return grouped
  for (let length = steps.length; length > 0; length--) {
    const end = steps.slice(-length)
    const exact = end.join('/')
    if (Object.hasOwn(words, exact)) return exact
    const anyFirst = ['+', ...end.slice(1)].join('/')
    if (Object.hasOwn(words, anyFirst)) return anyFirst
  }
  return undefined
}

/**
 * Makes the annex of data items: what the schemas say of each element, our words for it, and the switches as they
 * stand. A new element comes switched on and undecided.
 *
 * @returns the annex, the paths nobody described, and the words nothing uses
 */
export function makeDataItems(
  words: ElementWords,
  earlier: DataItemsFile | undefined,
): { file: DataItemsFile; undescribed: readonly string[]; unused: readonly string[] } {
  const known = new Map(earlier?.items.map((item) => [`${item.schema}${item.path}`, item]))
  const undescribed: string[] = []
  const used = new Set<string>()
  const items = Object.entries(publishedSchemas).flatMap(([schema, body]) =>
    listElements(body).flatMap((element): DataItem[] => {
      const key = findWords(words, element.path)
      const description = key === undefined ? undefined : words[key]
      if (key === undefined || !description) {
        undescribed.push(`${schema}${element.path}`)
        return []
      }
      used.add(key)
      const before = known.get(`${schema}${element.path}`)
      return [
        {
          schema: schema as BodySchemaName,
          path: element.path,
          wcoId: element.wcoId,
          wcoDmVersion: element.wcoDmVersion,
          presence: element.presence,
          on: before?.on ?? true,
          group: before?.group ?? null,
          decisionRef: before?.decisionRef ?? null,
          description,
        },
      ]
    }),
  )
  const unused = Object.keys(words).filter((key) => !used.has(key))
  return { file: { items }, undescribed, unused }
}
