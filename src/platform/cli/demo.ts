import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readReference } from '../../clearance/index.ts'
import { checkInvariants, type NodeAccount, readAccount } from '../demo/account.ts'
import { playTimeline, readExpected } from '../demo/play.ts'
import { startTwoNodes, type TwoNodes } from '../demo/two-nodes.ts'
import { exitCodes, print, printJson, printTable, reportError } from './output.ts'

export function registerDemoCommand(program: Command): void {
  program
    .command('demo')
    .description('two nodes on this machine exchange the clearance data of six trains, then stay up to look at')
    .option('--once', 'end after the trains; exit code 0 only if every invariant held')
    .option('--folder <dir>', 'where the nodes live', '.dostyk-demo')
    .option('--json', 'print the account as JSON')
    .action(async (options: { once?: boolean; folder: string; json?: boolean }) => {
      const interrupted = new Promise<string>((resolve) => {
        // A terminal and the launcher may both pass one Ctrl-C on: the second must not cut the stop short.
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
      })
      const say = options.json ? () => {} : print
      say('Starting PostgreSQL and two nodes …')
      let two: TwoNodes | undefined
      try {
        const started = startTwoNodes(resolve(options.folder), { min: 0.5, max: 2 })
        const first = await Promise.race([started, interrupted])
        if (typeof first === 'string') {
          await (await started).stop()
          return
        }
        two = first
        const outcome = await Promise.race([play(two, say, options.json ?? false), interrupted, two.ended])
        if (typeof outcome === 'string') return
        if (!outcome) process.exitCode = exitCodes.refused
        if (options.once) return
        say('\nLook around (Ctrl-C ends it and leaves nothing behind):')
        for (const { id, httpUrl, configPath } of two.nodes)
          say(`  ${id}  ${httpUrl}/  npx dostyk list trains --config ${configPath}`)
        await Promise.race([interrupted, two.ended])
      } catch (error) {
        process.exitCode = reportError(error)
      } finally {
        await two?.stop()
        process.exit()
      }
    })
}

async function play(two: TwoNodes, say: (line: string) => void, json: boolean): Promise<boolean> {
  for (const { id, httpUrl } of two.nodes) say(`  ${id}  ${httpUrl}/`)
  say('')
  const expected = await readExpected()
  const reference = await readReference()
  const played = await playTimeline(two, expected, say)
  const accounts = await Promise.all(two.nodes.map((node) => readAccount(node, reference)))
  const invariants = [...played.invariants, ...(await checkInvariants(two.nodes, accounts, expected))]
  const held = invariants.every(({ holds }) => holds)
  if (json) {
    printJson({ ...played, accounts: accounts.map(({ legs: _, ...account }) => account), invariants, held })
    return held
  }
  print(
    `\n${played.submissions} hand-overs, ${played.records} records, ${played.unchanged} unchanged, ${played.refused} refused\n`,
  )
  printTable(['', ...accounts.map(({ node }) => node)], rowsOf(accounts))
  print('')
  for (const { claim, holds, found } of invariants) {
    print(`${holds ? '✓' : '✗'} ${claim}`)
    if (!holds) print(`    ${JSON.stringify(found)}`)
  }
  print(held ? '\nEvery invariant held.' : '\nNOT every invariant held.')
  return held
}

type Row = readonly [string, ...Array<string | number>]

function rowsOf(accounts: readonly NodeAccount[]): Row[] {
  const row = (name: string, take: (account: NodeAccount) => number | string): Row => [name, ...accounts.map(take)]
  const outcome = (account: NodeAccount, name: string): number =>
    account.clearances.declarations.filter((each) => each.outcome === name).reduce((sum, { count }) => sum + count, 0)
  const codes = (
    title: string,
    take: (account: NodeAccount) => ReadonlyArray<{ code: string; count: number }>,
  ): Row[] => {
    const names = [...new Set(accounts.flatMap((account) => take(account).map(({ code }) => code)))].sort()
    return names.map((name) =>
      row(`${title} ${name}`, (account) => take(account).find(({ code }) => code === name)?.count ?? 0),
    )
  }
  return [
    row('units listed by the railway', ({ listed }) => listed.listed),
    row('  loaded', ({ listed }) => listed.loaded),
    row('  empty', ({ listed }) => listed.empty),
    row('  loaded with data', ({ listed }) => listed.withData),
    row('  loaded without data', ({ listed }) => listed.withoutData),
    ...['eligible', 'partial', 'withheld', 'held', 'not-concerned', 'cancelled'].map((name) =>
      row(`declarations ${name}`, (account) => outcome(account, name)),
    ),
    row('clearances and trains sent', ({ sent }) => Object.values(sent).reduce((sum, count) => sum + count, 0)),
    row('  accepted', ({ accepted }) => accepted),
    row('  rejected', ({ rejected }) => rejected),
    row('  used', ({ used }) => used),
    row('all messages the partner received, answers too', ({ received }) => received),
    row('  tried more than once', ({ retried }) => retried),
    ...codes('warned', ({ clearances }) => clearances.warnings),
    ...codes('refused', ({ clearances }) => clearances.refused),
  ]
}
