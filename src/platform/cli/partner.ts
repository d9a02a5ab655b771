import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { addPartner, approvePartner, listPartners, openPartnerCard, summariseLinks } from '../../exchange/index.ts'
import { Fault, readJson } from '../../kernel/index.ts'
import { withActor } from '../db/index.ts'
import { cardOf } from '../init.ts'
import { registerShippedConditions } from '../node.ts'
import { print, printJson, printTable, Refused } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

/** Since when the partner gives no good answer, and how the last attempt ended. */
function failingLink(
  links: ReadonlyArray<{ readonly failingSince: string | null; readonly lastFailure: string | null }>,
): string | null {
  const link = links.find(({ failingSince }) => failingSince !== null)
  return link ? `${link.failingSince?.slice(0, 19)}Z ${link.lastFailure ?? ''}`.trimEnd() : null
}

export function registerPartnerCommands(program: Command): void {
  const partner = program.command('partner').description('the administrations on the other side of the wire')

  withConfigOption(partner.command('add'))
    .description('take a partner’s card; it counts for nothing until two officers approve it')
    .argument('<card>', 'the file partner-card.json of the partner')
    .action(async (file: string, options: ConfigOption) => {
      const text = await readFile(file, 'utf8').catch((cause: unknown) => {
        throw new Fault('platform/file-unreadable', `${file} cannot be read`, { cause, facts: { path: file } })
      })
      const read = readJson(text, { lengthMax: 1_000_000, depthMax: 6, otherNumbers: 'refuse' })
      const opened = read.ok ? openPartnerCard(read.value) : read
      if (!opened.ok)
        throw new Refused({
          code: 'exchange/card-invalid',
          reason: 'reason' in opened.refusal ? opened.refusal.reason : opened.refusal.code,
        })
      await withNode(options, async (node) => {
        const actor = terminalActor()
        const { added, before } = await withActor(node.db, { actor, purpose: 'administration' }, async (tx) => ({
          before: (await listPartners(tx)).find(({ id }) => id === opened.value.card.administration),
          added: await addPartner(tx, opened.value, actor),
        }))
        if (!added.ok) throw new Refused(added.refusal)
        await registerShippedConditions(node, added.value.partner)
        if (before?.state === 'approved')
          return print(`${added.value.partner} stays approved; its address and keysets are those of this card.`)
        print(`${added.value.partner} is added and not approved yet.`)
        print(`Fingerprint of its root key: ${added.value.fingerprint}`)
        print('Two officers compare it with what the partner’s officers read to them, and then run:')
        print(`  dostyk partner approve ${added.value.partner} --fingerprint "…" --officer NAME --officer NAME`)
      })
    })

  withConfigOption(partner.command('approve'))
    .description('approve a partner whose fingerprint two officers have compared')
    .argument('<partner>', 'such as CN-GACC')
    .requiredOption('--fingerprint <hex>', 'as the partner’s officers read it')
    .requiredOption(
      '--officer <name>',
      'give it twice: two different officers',
      (name: string, all: string[]) => [...all, name],
      [] as string[],
    )
    .action(async (id: string, options: ConfigOption & { fingerprint: string; officer: string[] }) => {
      await withNode(options, async (node) => {
        const actor = terminalActor()
        const approved = await withActor(node.db, { actor, purpose: 'administration' }, (tx) =>
          approvePartner(tx, id, { fingerprint: options.fingerprint, officers: options.officer }, actor),
        )
        if (!approved.ok) throw new Refused(approved.refusal)
        print(
          `${id} is approved. Its channel is closed until the Technical Conditions are approved: dostyk conditions list`,
        )
      })
    })

  withConfigOption(partner.command('list'))
    .description('partners, their channel and how the link stands')
    .option('--json', 'print as JSON')
    .action(async (options: ConfigOption & { json?: boolean }) => {
      await withNode(options, async (node) => {
        const { partners, links } = await withActor(
          node.db,
          { actor: terminalActor(), purpose: 'administration' },
          async (tx) => ({
            partners: await listPartners(tx),
            links: await summariseLinks(tx),
          }),
        )
        const rows = await Promise.all(
          partners.map(async (each) => {
            const { facts, decision } = await node.gate(each.id)
            return {
              ...each,
              channel: facts.state,
              open: decision.ok,
              closedBecause: decision.ok ? null : decision.refusal.code,
              links: links.filter((link) => link.partner === each.id),
            }
          }),
        )
        if (options.json) return printJson(rows)
        printTable(
          ['partner', 'state', 'channel', 'open', 'queued', 'parked', 'last answer', 'failing since', 'endpoint'],
          rows.map((row) => [
            row.id,
            row.state,
            row.channel,
            row.open ? 'yes' : `no: ${row.closedBecause}`,
            row.links.reduce((sum, link) => sum + link.queued + link.waiting, 0),
            row.links.reduce((sum, link) => sum + link.parked, 0),
            row.links.map((link) => link.lastAnswerAt).find(Boolean) ?? null,
            failingLink(row.links),
            row.endpoint,
          ]),
        )
      })
    })

  withConfigOption(partner.command('card'))
    .description('print the public card of this node, to give to a partner')
    .action(async (options: ConfigOption) => {
      await withNode(options, async (node) => printJson(cardOf(node.keys, node.config.exchange.publicUrl)))
    })
}
