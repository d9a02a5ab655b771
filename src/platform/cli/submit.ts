import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type SubmissionResult, takeSubmission } from '../../clearance/index.ts'
import { Fault, type Instant, parseInstant } from '../../kernel/index.ts'
import { exitCodes, explainProblem, oneLine, print, printJson } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

function versionOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a version is a whole number from 1')
  return Number(text)
}

function instantOf(text: string): Instant {
  const instant = parseInstant(text)
  if (!instant) throw new InvalidArgumentError('an instant looks like 2026-11-22T03:00:00Z')
  return instant
}

type SubmitOptions = ConfigOption & { declarationVersion?: number; releasedAt?: Instant; json?: boolean }

export function registerSubmitCommand(program: Command): void {
  withConfigOption(program.command('submit'))
    .description('hand over declarations, railway lists and other records from files ("-" is the standard input)')
    .argument('<files...>', 'JSON, NDJSON, CSV, WCO or NCTS XML, UN/CEFACT JSON: the content tells the format')
    .option('--declaration-version <n>', 'version of the declarations, for formats that carry none', versionOf)
    .option(
      '--released-at <instant>',
      'when the goods were released, for formats that do not say (RFC 3339)',
      instantOf,
    )
    .option('--json', 'print as JSON')
    .action(async (files: string[], options: SubmitOptions) => {
      const results = await withNode(options, async (node) => {
        const done: Array<SubmissionResult & { file: string }> = []
        for (const file of files) {
          const source = file === '-' ? process.stdin : await openFile(file)
          const showProgress = process.stderr.isTTY && !options.json
          const result = await takeSubmission(
            node.db,
            node.clearanceContext,
            {
              channel: 'file',
              source: terminalActor(),
              fileName: file === '-' ? undefined : basename(file),
              declarationVersion: options.declarationVersion,
              releasedAt: options.releasedAt,
            },
            source,
            showProgress
              ? ({ records, refused, bytes }) =>
                  process.stderr.write(
                    `\r${oneLine(file)}: ${records} records, ${refused} refused, ${Math.round(bytes / 1024)} KiB `,
                  )
              : undefined,
          )
          if (showProgress) process.stderr.write('\r\u001b[K')
          done.push({ file, ...result })
        }
        return done
      })
      if (options.json) printJson(results)
      else for (const result of results) report(result)
      if (results.some(({ refused }) => refused > 0)) process.exitCode = exitCodes.refused
    })
}

async function openFile(file: string): Promise<AsyncIterable<Uint8Array>> {
  const stream = createReadStream(file)
  await new Promise<void>((resolve, reject) => {
    stream.once('open', () => resolve())
    stream.once('error', (cause) =>
      reject(new Fault('platform/file-unreadable', `${file} cannot be read`, { cause, facts: { path: file } })),
    )
  })
  return stream
}

function report(result: SubmissionResult & { file: string }): void {
  const { file, records, taken, unchanged, refused, id, mode, results } = result
  print(
    `${oneLine(file)}: ${records} record(s), ${taken} taken, ${unchanged} unchanged, ${refused} refused  [submission ${id}, ${mode}]`,
  )
  for (const each of results) {
    if (each.outcome !== 'refused' && each.problems.length + each.notes.length === 0) continue
    const place = each.line === undefined ? `record ${each.position}` : `record ${each.position}, line ${each.line}`
    print(`  ${place}: ${each.outcome}${each.about ? `  ${each.about}` : ''}`)
    for (const problem of each.problems)
      print(`    ${each.outcome === 'refused' ? '' : 'warning: '}${explainProblem(problem)}`)
    for (const note of each.notes) print(`    note: ${explainProblem(note)}`)
  }
}
