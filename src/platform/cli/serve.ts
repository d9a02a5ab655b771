import type { Command } from 'commander'
import { diagnose } from '../doctor.ts'
import { prepareConfig } from '../running-config.ts'
import { startNode } from '../server.ts'
import { exitCodes, explain, placesOf, print, printJson } from './output.ts'
import { type ConfigOption, configPath, withConfigOption } from './with-node.ts'

export function registerServeCommands(program: Command): void {
  withConfigOption(program.command('serve'))
    .description('run the node until it is told to stop (SIGINT or SIGTERM)')
    .action(async (options: ConfigOption) => {
      const prepared = await prepareConfig(configPath(options), process.env)
      try {
        const node = await startNode(prepared)
        // A parent process that started us reads where we listen.
        process.send?.({ httpUrl: node.httpUrl, exchangePort: node.exchangePort })
        if (!process.send)
          print(`${prepared.config.administration.id}: ${node.httpUrl}  exchange on port ${node.exchangePort}`)
        await stopSignal()
        await node.close()
      } finally {
        await prepared.stop()
      }
      process.exit(exitCodes.done)
    })

  withConfigOption(program.command('doctor'))
    .description(
      'look for what keeps a node from working: configuration, database, keys, ports, gates, partners, clock',
    )
    .option('--json', 'print as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      const findings = await diagnose(configPath(options), process.env)
      if (options.json) printJson(findings)
      else
        for (const { check, state, code, facts } of findings) {
          print(`${state.padEnd(7)} ${check.padEnd(18)} ${code ? explain(code, facts) : ''}`.trimEnd())
          for (const line of placesOf(facts)) print(`        ${line}`)
        }
      if (findings.some(({ state }) => state === 'failed')) process.exitCode = exitCodes.refused
    })
}

/** Resolves at the first signal to stop, or when the parent that started us is gone. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    // A terminal and the launcher may both pass one Ctrl-C on: the second must not cut the stop short.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    if (process.send) process.once('disconnect', () => resolve())
  })
}
