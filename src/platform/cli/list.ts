import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  findDeclaration,
  findLeg,
  findRailRecord,
  findReceived,
  findSubmission,
  type Leg,
  listDeclarations,
  listDefective,
  listLegs,
  listReceived,
  listSubmissionRecords,
  listSubmissions,
  type Station,
} from '../../clearance/index.ts'
import { findMessage, listMessages, listRefusals } from '../../exchange/index.ts'
import { type Transaction, withActor } from '../db/index.ts'
import type { NodeServices } from '../node.ts'
import { explain, explainProblem, oneLine, print, printJson, printTable, Refused } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

type ListOptions = ConfigOption & { json?: boolean; limit: number }

function limitOf(text: string): number {
  const limit = Number(text)
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new InvalidArgumentError('from 1 to 10000')
  return limit
}

const reading = <Value>(node: NodeServices, work: (tx: Transaction) => Promise<Value>): Promise<Value> =>
  withActor(node.db, { actor: terminalActor(), purpose: 'administration' }, work)

const stationName = ({ name, unLocode, esr }: Station): string => name?.text ?? unLocode ?? esr ?? '?'
const trainName = (leg: Leg): string => leg.trainIndex ?? leg.trainNumber ?? leg.transferListNumber ?? '?'

const withListOptions = (command: Command): Command =>
  withConfigOption(command)
    .option('-n, --limit <n>', 'how many at most', limitOf, 100)
    .option('--json', 'print as JSON')

export function registerListCommands(program: Command): void {
  const list = program.command('list').description('what this node knows: trains, clearances, messages, problems')

  withListOptions(list.command('trains'))
    .description('legs with what was listed, loaded and empty, with and without data')
    .action(async (options: ListOptions) => {
      await withNode(options, async (node) => {
        const rows = await reading(node, (tx) => listLegs(tx, node.clearance.reference, { limit: options.limit }))
        if (options.json) return printJson(rows)
        printTable(
          [
            'leg',
            'source',
            'train',
            'list',
            'from',
            'to',
            'departed',
            'listed',
            'loaded',
            'empty',
            'with data',
            'without',
            'warned',
            'closed',
          ],
          rows.map((row) => [
            row.key,
            row.source,
            trainName(row.leg),
            row.leg.transferListNumber ?? null,
            stationName(row.leg.from),
            stationName(row.leg.to),
            row.departedAt ?? row.plannedAt,
            row.listed,
            row.loaded,
            row.empty,
            row.withData,
            row.withoutData,
            row.warned,
            row.closedAt ? 'yes' : '',
          ]),
        )
      })
    })

  withListOptions(list.command('clearances'))
    .description('declarations of this side with their decision, or with --received what partners sent')
    .option('--received', 'what partners sent')
    .addOption(
      new Option('--outcome <outcome>', 'only those decided so').choices([
        'eligible',
        'partial',
        'withheld',
        'held',
        'not-concerned',
        'cancelled',
      ]),
    )
    .action(async (options: ListOptions & { received?: boolean; outcome?: string }) => {
      await withNode(options, async (node) => {
        if (options.received) {
          const rows = await reading(node, (tx) => listReceived(tx, { limit: options.limit }))
          if (options.json) return printJson(rows)
          return printTable(
            [
              'key',
              'partner',
              'mode',
              'declaration',
              'kind',
              'version',
              'state',
              'gap',
              'warnings',
              'received',
              'used',
            ],
            rows.map((row) => [
              row.key,
              row.partner,
              row.mode,
              row.declarationId,
              row.kind,
              row.version,
              row.state,
              row.gap ? 'yes' : '',
              row.warnings,
              row.receivedAt,
              row.usedAt,
            ]),
          )
        }
        const rows = await reading(node, (tx) =>
          listDeclarations(tx, { limit: options.limit, outcome: options.outcome }),
        )
        if (options.json) return printJson(rows)
        printTable(
          [
            'key',
            'mode',
            'declaration',
            'kind',
            'version',
            'outcome',
            'ground',
            'clause',
            'warnings',
            'sent',
            'waiting',
          ],
          rows.map((row) => [
            row.key,
            row.mode,
            row.declarationId,
            row.kind,
            row.version,
            row.outcome,
            row.ground,
            row.clause,
            row.warnings,
            row.sentVersion,
            row.waiting ? 'yes' : '',
          ]),
        )
      })
    })

  withListOptions(list.command('messages'))
    .description('messages of both directions with their fate, newest first')
    .addOption(
      new Option(
        '--state <state>',
        'the first six of what is sent; received and the last three of what came in',
      ).choices([
        'queued',
        'waiting',
        'received',
        'parked',
        'skipped',
        'reissued',
        'accepted',
        'rejected',
        'quarantined',
      ]),
    )
    .option('--type <type>', 'EXP-CLR, DEP …')
    .addOption(new Option('--direction <direction>', 'from here or to here').choices(['out', 'in']))
    .action(async (options: ListOptions & { state?: string; type?: string; direction?: 'out' | 'in' }) => {
      await withNode(options, async (node) => {
        const rows = await reading(node, (tx) => listMessages(tx, options))
        if (options.json) return printJson(rows)
        printTable(
          [
            'message',
            'way',
            'partner',
            'mode',
            'type',
            'state',
            'tries',
            'signed',
            'received',
            'answer',
            'used',
            'last outcome',
          ],
          rows.map((row) => [
            row.id,
            row.direction,
            row.partner,
            row.mode,
            row.type,
            row.state,
            row.attempts,
            row.signedAt,
            row.receivedAt,
            row.answer,
            row.usedAt,
            row.lastOutcome,
          ]),
        )
      })
    })

  withListOptions(list.command('problems'))
    .description(
      'everything that waits for a person: refused records, held declarations, parked messages, defective data',
    )
    .action(async (options: ListOptions) => {
      await withNode(options, async (node) => {
        const { limit } = options
        const found = await reading(node, async (tx) => {
          const submissions = (await listSubmissions(tx, { limit })).filter(
            ({ refused, failure }) => refused > 0 || failure,
          )
          const refused = []
          for (const { id, fileName, refused: count } of submissions)
            if (count > 0)
              for (const record of await listSubmissionRecords(tx, {
                submission: id,
                after: 0,
                limit,
                outcome: 'refused',
              }))
                refused.push({ ...record, fileName })
          return {
            interrupted: submissions.filter(({ failure }) => failure),
            refused,
            held: await listDeclarations(tx, { limit, outcome: 'held' }),
            parked: await listMessages(tx, { limit, direction: 'out', state: 'parked' }),
            defective: await listDefective(tx, limit),
            exchange: await listRefusals(tx),
          }
        })
        if (options.json) return printJson(found)
        print(`Refused records: ${found.refused.length}`)
        for (const record of found.refused) {
          print(
            `  ${oneLine(record.fileName ?? record.submission)} record ${record.position}${record.line ? `, line ${record.line}` : ''}`,
          )
          for (const problem of record.problems ?? []) print(`    ${explainProblem(problem)}`)
        }
        print(`\nHeld declarations: ${found.held.length}`)
        for (const row of found.held)
          print(
            `  ${row.key}  ${row.declarationId}  ${explain(row.ground ?? '')}${row.clause ? ` (${row.clause})` : ''}`,
          )
        print(`\nParked messages: ${found.parked.length}`)
        for (const row of found.parked) print(`  ${row.id}  ${row.type}  ${row.lastOutcome}`)
        print(`\nDefective data from partners: ${found.defective.length}`)
        for (const row of found.defective) {
          print(`  ${row.message}  ${row.type}${row.quarantined ? '  quarantined' : ''}`)
          for (const problem of row.problems) print(`    ${explainProblem(problem)}`)
        }
        print(`\nRefused by the exchange: ${found.exchange.reduce((sum, { count }) => sum + count, 0)}`)
        for (const row of found.exchange) print(`  ${row.direction}  ${row.partner}  ${row.code}  ${row.count}`)
      })
    })

  withConfigOption(program.command('show'))
    .description(
      'everything about one id: a message, a declaration, a received clearance, a leg, a rail record or a submission',
    )
    .argument('<id>', 'an id as the lists show it, or a declaration number')
    .option('--json', 'print as JSON')
    .action(async (id: string, options: ConfigOption & { json?: boolean }) => {
      await withNode(options, async (node) => {
        const found = await reading(node, (tx) => findAnything(tx, node, id))
        if (!found) throw new Refused({ code: 'platform/id-unknown', id })
        if (options.json) return printJson(found)
        print(`${found.kind}`)
        printJson(found.value)
      })
    })
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function findAnything(
  tx: Transaction,
  node: NodeServices,
  id: string,
): Promise<{ kind: string; value: unknown } | undefined> {
  if (!uuid.test(id)) {
    for (const mode of ['live', 'test'] as const) {
      const value = await findDeclaration(tx, { mode, declarationId: id })
      if (value) return { kind: 'declaration', value: withoutContent(value) }
    }
    return undefined
  }
  const message = await findMessage(tx, id)
  if (message) return { kind: 'message', value: message }
  const declaration = await findDeclaration(tx, { key: id })
  if (declaration) return { kind: 'declaration', value: withoutContent(declaration) }
  const received = await findReceived(tx, id)
  if (received) return { kind: 'received', value: withoutContent(received) }
  const leg = await findLeg(tx, node.clearance.reference, id)
  if (leg) return { kind: 'leg', value: { ...leg, list: undefined } }
  const record = await findRailRecord(tx, id)
  if (record) return { kind: record.record, value: { ...record, content: undefined } }
  const submission = await findSubmission(tx, id)
  return submission && { kind: 'submission', value: submission }
}

/** The terminal shows decisions, versions and fate. Content is read where a person states a purpose. */
function withoutContent<Row extends { versions: ReadonlyArray<{ content: unknown }> }>(row: Row): unknown {
  return { ...row, versions: row.versions.map(({ content: _, ...version }) => version) }
}
