/** Opens the node of a configuration for one command, beside a running server or without one. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { migrate, openDatabase } from '../db/index.ts'
import { type NodeServices, openNode } from '../node.ts'
import { prepareConfig, type RunningConfig } from '../running-config.ts'

export interface ConfigOption {
  readonly config?: string
}

/** Adds the option that says whose node is meant. */
export function withConfigOption(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration of the node (or DOSTYK_CONFIG)')
}

export function configPath({ config }: ConfigOption): string {
  return config ?? process.env['DOSTYK_CONFIG'] ?? 'dostyk.json'
}

/** Who acts at the terminal, as the record names it. */
export function terminalActor(): string {
  return `terminal:${userInfo().username}`
}

export async function withNode<Result>(
  options: ConfigOption,
  work: (node: NodeServices, prepared: RunningConfig) => Promise<Result>,
): Promise<Result> {
  const prepared = await prepareConfig(configPath(options), process.env)
  try {
    await migrate(prepared.database.ownerUrl)
    const db = openDatabase({ url: prepared.database.url, max: 4 })
    try {
      return await work(await openNode(prepared.config, db, prepared.passphrase), prepared)
    } finally {
      await db.close()
    }
  } finally {
    await prepared.stop()
  }
}
