import { type Command, InvalidArgumentError } from 'commander'
import { withActor } from '../db/index.ts'
import { createToken, listTokens, revokeToken, scopes } from '../identity/tokens.ts'
import { print, printJson, printTable, Refused } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

const rateOf = (text: string): number => {
  const rate = Number(text)
  if (!Number.isInteger(rate) || rate < 1 || rate > 1_000_000) throw new InvalidArgumentError('from 1 to 1000000')
  return rate
}

export function registerTokenCommands(program: Command): void {
  const token = program.command('token').description('tokens by which home systems call the interface')
  const scopeList = Object.entries(scopes)
    .map(([scope, means]) => `  ${scope.padEnd(14)} ${means}`)
    .join('\n')

  withConfigOption(token.command('create'))
    .description('make a token; its secret is shown once')
    .argument('<name>', 'of the system that will use it')
    .requiredOption('--scope <scopes...>', Object.keys(scopes).join(', '))
    .option('--rate <n>', 'requests a minute', rateOf, 600)
    .option('--expires <date>', 'YYYY-MM-DD, the first day on which it no longer works')
    .addHelpText('after', `\nScopes:\n${scopeList}`)
    .action(async (name: string, options: ConfigOption & { scope: string[]; rate: number; expires?: string }) => {
      await withNode(options, async (node) => {
        const actor = terminalActor()
        const made = await withActor(node.db, { actor, purpose: 'administration' }, (tx) =>
          createToken(
            tx,
            {
              name,
              scopes: options.scope,
              requestsPerMinute: options.rate,
              expiresAt: options.expires ? new Date(`${options.expires}T00:00:00Z`) : undefined,
            },
            actor,
          ),
        )
        if (!made.ok) throw new Refused(made.refusal)
        print(made.value.secret)
      })
    })

  withConfigOption(token.command('list'))
    .description('tokens with their scopes; never their secrets')
    .option('--json', 'print as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      await withNode(options, async (node) => {
        const rows = await withActor(node.db, { actor: terminalActor(), purpose: 'administration' }, listTokens)
        if (options.json) return printJson(rows)
        printTable(
          ['name', 'scopes', 'rate', 'created', 'expires', 'revoked', 'last used'],
          rows.map((row) => [
            row.name,
            row.scopes.join(' '),
            row.requestsPerMinute,
            row.createdAt,
            row.expiresAt,
            row.revokedAt,
            row.lastUsedAt,
          ]),
        )
      })
    })

  withConfigOption(token.command('revoke'))
    .description('end a token at once')
    .argument('<name>')
    .action(async (name: string, options: ConfigOption) => {
      await withNode(options, async (node) => {
        const actor = terminalActor()
        const done = await withActor(node.db, { actor, purpose: 'administration' }, (tx) =>
          revokeToken(tx, name, actor),
        )
        if (!done.ok) throw new Refused(done.refusal)
        print(`${name} is revoked.`)
      })
    })
}
