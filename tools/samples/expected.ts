import type { Entry, LegExpectation, Node, Planted, SampleFile } from './sample-file.ts'
import type { Balance } from './t4.ts'
import type { Step } from './timeline.ts'

const OUTCOMES = ['eligible', 'partial', 'withheld', 'held', 'not-concerned'] as const

function expectationOf({ path, node, format, entries, refused = [] }: SampleFile) {
  const records: Record<string, number> = {}
  for (const { record } of entries) records[record.record] = (records[record.record] ?? 0) + 1
  const outcomes = Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, entries.filter((entry) => entry.outcome === outcome).length]).filter(
      ([, count]) => count !== 0,
    ),
  )
  const exceptions = entries.flatMap(({ record, outcome, ground }, index) =>
    record.record === 'declaration' && outcome !== 'eligible'
      ? [{ position: index + 1, declarationId: record.content.declaration.id, outcome, ground }]
      : [],
  )
  return { path, node, format, taken: entries.length, records, refused, outcomes, exceptions }
}

/** The messages that leave a node for each record it takes for the first time, in the order of the timeline. */
function messagesOf(node: Node, files: readonly SampleFile[]): Record<string, number> {
  const sent = new Set<string>()
  const types = files
    .filter((file) => file.node === node)
    .flatMap(({ entries }) => entries.flatMap((entry) => messageOf(entry, sent) ?? []))
  const kinds = [...new Set(types)].sort()
  return Object.fromEntries(kinds.map((kind) => [kind, types.filter((type) => type === kind).length]))
}

function messageOf({ record, outcome }: Entry, sent: Set<string>): string | undefined {
  if (record.record === 'departure') return 'DEP'
  if (record.record === 'arrival') return 'ARR'
  if (record.record === 'discrepancy') return 'DSC'
  if (record.record === 'cancellation') return sent.has(record.content.declaration.id) ? 'CNL' : undefined
  if (record.record !== 'declaration' || (outcome !== 'eligible' && outcome !== 'partial')) return undefined
  const { id, kind } = record.content.declaration
  if (sent.has(id)) return 'AMD'
  sent.add(id)
  return kind === 'TR' ? 'TRN-CLR' : 'EXP-CLR'
}

export function expectedOf(
  files: readonly SampleFile[],
  legs: readonly LegExpectation[],
  balances: readonly Balance[],
  planted: readonly Planted[],
  timeline: readonly Step[],
) {
  const order = new Map(timeline.map(({ file, step }) => [file, step]))
  const played = files.toSorted((a, b) => order.get(a.path)! - order.get(b.path)!)
  const unplayed = files.filter(({ path }) => !order.has(path))
  if (unplayed.length > 0) throw new Error(`not in the timeline: ${unplayed.map(({ path }) => path).join(', ')}`)
  const nodes = ['CN-GACC', 'KZ-KGD'] as const
  return {
    about:
      'What a person who knows the samples expects, written down by their generator and not computed by the product. ' +
      'Positions count records of a file from 1. A unit of a leg is a container, or a wagon that carries no listed container.',
    messages: Object.fromEntries(nodes.map((node) => [node, messagesOf(node, played)])),
    files: files.map(expectationOf),
    legs,
    balances,
    planted,
  }
}
