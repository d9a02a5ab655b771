import { type Command, InvalidArgumentError } from 'commander'
import { recordEvents } from '../../audit/index.ts'
import { clearanceUse, outboxChannel } from '../../clearance/index.ts'
import { resendMessage, skipMessage } from '../../exchange/index.ts'
import { notify, withActor } from '../db/index.ts'
import { print, Refused } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

function messageId(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text))
    throw new InvalidArgumentError('an id as `list messages` shows it')
  return text
}

/** Sending parked messages again, and giving them up. */
export function registerMessageCommands(program: Command): void {
  for (const act of ['resend', 'skip'] as const)
    withConfigOption(program.command(act))
      .description(
        act === 'resend'
          ? 'send a parked message again; issued anew where the same bytes cannot be taken'
          : 'give a parked message up: a signed SKIP fills its place and its lane goes on',
      )
      .argument('<id>', 'of a parked message', messageId)
      .requiredOption('--reason <text>', 'why, for the record')
      .action(async (id: string, options: ConfigOption & { reason: string }) => {
        await withNode(options, async (node) => {
          const by = { actor: terminalActor(), purpose: 'exchange' }
          const { channel, conditions, identity, now } = await node.clearanceContext()
          const renewal = {
            agreement: channel?.agreement ?? { id: conditions.agreement, conditions: conditions.version },
            expiresAt: new Date(now.getTime() + conditions.regulation.messageExpiryDays * 86_400_000),
          }
          const done = await withActor(node.db, by, async (tx) => {
            const answer =
              act === 'resend'
                ? await resendMessage(tx, identity, id, renewal, now)
                : await skipMessage(tx, identity, id, { ...renewal, use: clearanceUse(false) }, now)
            if (answer.ok) {
              await recordEvents(tx, by, [
                {
                  type: act === 'resend' ? 'message.resent' : 'message.skipped',
                  subject: id,
                  facts: { reason: options.reason },
                },
              ])
              await notify(tx, outboxChannel)
            }
            return answer
          })
          if (!done.ok) throw new Refused(done.refusal)
          print(done.value.id === id ? `${id} is queued again.` : `${id} is replaced by ${done.value.id}.`)
        })
      })
}
