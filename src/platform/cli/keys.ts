import type { Command } from 'commander'
import { type AuditEvent, recordEvents } from '../../audit/index.ts'
import { openKeyset, publicKeyOf } from '../../exchange/index.ts'
import { assert } from '../../kernel/index.ts'
import { withActor } from '../db/index.ts'
import { openKeys, renewKeysets } from '../keys/index.ts'
import { print } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

export function registerKeysCommands(program: Command): void {
  const keys = program.command('keys').description('the keys of this node, as partners know them')

  withConfigOption(keys.command('renew'))
    .description('issue both keysets again for 90 days, signed by the root key; the keys stay the same')
    .option('--root <file>', 'where root.private.jwe is; in the folder of the keys if not given')
    .action(async (options: ConfigOption & { root?: string }) => {
      await withNode(options, async (node, { passphrase }) => {
        const { folder } = node.config.keys
        const now = new Date().toISOString()
        await renewKeysets({ folder, passphrase, now, ...(options.root && { rootFile: options.root }) })
        const renewed = await openKeys({ folder, passphrase })
        const root = publicKeyOf(renewed.rootPublicJwk)
        const events = (['test', 'live'] as const).map((mode): AuditEvent => {
          const opened = openKeyset(renewed.keyset(mode), { iss: node.me, mode, root })
          assert(opened.ok, 'a keyset that was just issued opens')
          const { number, digest } = opened.value
          print(`Keyset ${number} of mode ${mode}: until ${renewed.keysetExpiresAt(mode)}`)
          return { type: 'keyset.issued', subject: node.me, facts: { mode, version: String(number), digest } }
        })
        const by = { actor: terminalActor(), purpose: 'administration' }
        await withActor(node.db, by, (tx) => recordEvents(tx, by, events))
        print('Start the node again, and hand the partner the new card: dostyk partner card')
      })
    })
}
