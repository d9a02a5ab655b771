import { Argument, type Command, Option } from 'commander'
import { listPartners } from '../../exchange/index.ts'
import type { AdministrationId, Decision, Refusal } from '../../kernel/index.ts'
import {
  type ActPerson,
  type Channel,
  type ChannelState,
  type ConditionsVersion,
  type DecisionKind,
  findBasis,
  type GateFacts,
  openingDigest,
  readingDigest,
  recordApproval,
  recordReading,
  recordWorkingGroupDecision,
  stageOf,
} from '../../law/index.ts'
import { type Transaction, withActor } from '../db/index.ts'
import { agreementId, changeChannel, type NodeServices } from '../node.ts'
import { explain, print, printJson, printTable, Refused } from './output.ts'
import { type ConfigOption, terminalActor, withConfigOption, withNode } from './with-node.ts'

/** The partner whose channel is meant, approved or only added; asked for only when there are several. */
async function channelOf(node: NodeServices, command: Command, wanted: string | undefined): Promise<Channel> {
  const added = await asAdministration(node, listPartners)
  const partners: readonly AdministrationId[] = added
    .map(({ id }) => id)
    .filter((id) => (wanted === undefined ? id.startsWith(`${node.clearance.partnerCountry}-`) : id === wanted))
  const [partner, another] = partners
  if (another) command.error(`error: there are several partners; name one: --partner ${partners.join(' | ')}`)
  if (!partner)
    throw new Refused(
      wanted === undefined ? { code: 'platform/no-partner' } : { code: 'exchange/partner-unknown', partner: wanted },
    )
  return { home: node.me, partner, agreement: agreementId }
}

const refuseOr = <Value>(decision: Decision<Value, { readonly code: string }>): Value => {
  if (!decision.ok) throw new Refused(decision.refusal as Refusal)
  return decision.value
}

function stage(node: NodeServices, facts: GateFacts, version: ConditionsVersion, on: string): string {
  const basis = findBasis(node.law, facts)
  return basis ? stageOf(basis, facts, version, on) : 'draft'
}

/** Who agrees an annex, and whether they have. */
function annexStanding(
  facts: GateFacts,
  { version }: ConditionsVersion,
  { name, digest, approvedBy }: ConditionsVersion['annexes'][number],
): string {
  const isOfAnnex = (act: { version?: string; annex?: string; digest?: string }): boolean =>
    act.version === version && act.annex === name && act.digest === digest
  if (approvedBy === 'heads') return `approved by ${facts.approvals.filter(isOfAnnex).length} of 2 heads`
  return facts.decisions.some(isOfAnnex) ? 'agreed by the working group' : 'not agreed by the working group yet'
}

type PartnerOption = ConfigOption & { partner?: string }

const withPartner = (command: Command): Command =>
  withConfigOption(command).option('--partner <id>', 'needed only when there are several partners')

const asAdministration = <Value>(node: NodeServices, work: (tx: Transaction) => Promise<Value>): Promise<Value> =>
  withActor(node.db, { actor: terminalActor(), purpose: 'administration' }, work)

export function registerConditionsCommands(program: Command): void {
  const conditions = program
    .command('conditions')
    .description('the Technical Conditions: what is agreed, who approved it, and whether the channel may open')

  withPartner(conditions.command('list'))
    .description('versions with their digests, decisions and approvals, and what is still missing')
    .option('--json', 'print as JSON')
    .action(async (options: PartnerOption & { json?: boolean }, command: Command) => {
      await withNode(options, async (node) => {
        const channel = await channelOf(node, command, options.partner)
        const { facts, decision } = await node.gate(channel.partner)
        const { on } = node.recordedBy(terminalActor())
        const versions = facts.conditions.map((version) => ({
          ...version,
          stage: stage(node, facts, version, on),
          approvals: facts.approvals.filter((approval) => approval.version === version.version),
        }))
        const opening = openingDigest(node.law, facts, on)
        const missing = decision.ok ? undefined : decision.refusal
        if (options.json)
          return printJson({ state: facts.state, gate: decision, versions, decisions: facts.decisions, opening })
        print(`Channel with ${channel.partner} under ${agreementId}: ${facts.state}`)
        if (missing) {
          const { code, clause, ...rest } = missing as Refusal
          print(`Not open: ${explain(code, rest)}${clause ? ` (${clause})` : ''}`)
        } else if (decision.ok)
          for (const { code, clause, ...rest } of decision.value.warnings as readonly Refusal[])
            print(`Warning: ${explain(code, rest)}${clause ? ` (${clause})` : ''}`)
        if (opening.ok && facts.state !== 'production')
          print(`Digest that two persons confirm to open production: ${opening.value}`)
        if (!opening.ok && opening.refusal.code !== missing?.code) {
          const { code, clause, ...rest } = opening.refusal as Refusal
          print(`Missing for production: ${explain(code, rest)}${clause ? ` (${clause})` : ''}`)
        }
        for (const version of versions) {
          print(
            `\nVersion ${version.version}: ${version.stage}, valid from ${version.validFrom}${version.validUntil ? ` until ${version.validUntil}` : ''}`,
          )
          print(`  body ${version.bodyDigest}`)
          for (const annex of version.annexes)
            print(`  annex ${annex.name} ${annex.digest}  ${annexStanding(facts, version, annex)}`)
          if (version.approvals.length === 0) print('  no head has approved it')
          else
            printTable(
              ['  side', 'person', 'post', 'approved on', 'digest'],
              version.approvals.map(({ side, person, post, approvedOn, digest }) => [
                `  ${side}`,
                person,
                post,
                approvedOn,
                digest,
              ]),
            )
        }
        print('')
        if (facts.decisions.length === 0) return print('No decision of the working group is on record.')
        printTable(
          ['decision', 'kind', 'decided on', 'version', 'annex'],
          facts.decisions.map(({ reference, kind, decidedOn, version, annex }) => [
            reference,
            kind,
            decidedOn,
            version,
            annex,
          ]),
        )
      })
    })

  withPartner(conditions.command('agree'))
    .description('record decisions of the working group; --all records every kind that the shipped version needs')
    .requiredOption('--reference <text>', 'of the minutes')
    .requiredOption('--on <date>', 'YYYY-MM-DD')
    .addOption(
      new Option('--kind <kind>', 'what was decided').choices([
        'established',
        'content',
        'technology',
        'protection',
        'conditions',
        'annex',
      ]),
    )
    .option('--annex <name>', 'for --kind annex')
    .option('--all', 'the working group, content, technology, protection, conditions and every annex')
    .action(
      async (
        options: PartnerOption & { reference: string; on: string; kind?: DecisionKind; annex?: string; all?: boolean },
        command: Command,
      ) => {
        if (!options.all === !options.kind) command.error('error: give --all, or the --kind of one decision')
        if ((options.kind === 'annex') !== (options.annex !== undefined))
          command.error('error: --kind annex and --annex NAME belong together')
        await withNode(options, async (node) => {
          const channel = await channelOf(node, command, options.partner)
          const { version, bodyDigest, annexes } = node.clearance.conditions
          if (options.annex && !annexes.some(({ name }) => name === options.annex))
            command.error(
              `error: version ${version} has no annex "${options.annex}", only ${annexes.map(({ name }) => name).join(', ')}`,
            )
          const of = (kind: DecisionKind, name?: string) => {
            const annex = annexes.find((each) => each.name === name)
            const reference = options.all
              ? [options.reference, kind, name].filter(Boolean).join(' / ')
              : options.reference
            return {
              reference,
              kind,
              decidedOn: options.on,
              ...(kind === 'conditions' && { version, digest: bodyDigest }),
              ...(kind === 'annex' && { version, annex: name ?? '', digest: annex?.digest ?? '' }),
            }
          }
          const wanted = options.all
            ? [
                ...(['established', 'content', 'technology', 'protection', 'conditions'] as const).map((kind) =>
                  of(kind),
                ),
                ...annexes.map(({ name }) => of('annex', name)),
              ]
            : options.kind
              ? [of(options.kind, options.annex)]
              : []
          const by = node.recordedBy(terminalActor())
          await asAdministration(node, async (tx) => {
            for (const decision of wanted)
              refuseOr(await recordWorkingGroupDecision(tx, node.law, channel, decision, by))
          })
          print(`Recorded ${wanted.length} decision(s) of the working group.`)
        })
      },
    )

  withPartner(conditions.command('approve'))
    .description('record the approval of one side’s head; both sides must have approved before live exchange')
    .requiredOption('--side <country>', 'whose head approved: KZ or CN')
    .requiredOption('--person <name>', 'who approved')
    .requiredOption('--post <post>', 'in which post')
    .requiredOption('--on <date>', 'YYYY-MM-DD')
    .requiredOption('--digest <digest>', 'of exactly what was approved, as `conditions list` shows it')
    .option('--conditions-version <version>', 'the shipped one if not given')
    .option('--annex <name>', 'an annex that the heads approve, instead of the body')
    .action(
      async (
        options: PartnerOption & {
          side: string
          person: string
          post: string
          on: string
          digest: string
          conditionsVersion?: string
          annex?: string
        },
        command: Command,
      ) => {
        await withNode(options, async (node) => {
          const channel = await channelOf(node, command, options.partner)
          const { side, person, post, digest, annex } = options
          const approval = {
            side,
            person,
            post,
            digest,
            approvedOn: options.on,
            version: options.conditionsVersion ?? node.clearance.conditions.version,
            ...(annex && { annex }),
          }
          const by = node.recordedBy(terminalActor())
          refuseOr(await asAdministration(node, (tx) => recordApproval(tx, node.law, channel, approval, by)))
          print(`Recorded the approval of ${side} for version ${approval.version}.`)
        })
      },
    )

  withPartner(conditions.command('read-term'))
    .description('record which reading of the agreement’s term is followed, by two authorised persons')
    .requiredOption('--reading <id>', 'as the treaty data names it')
    .requiredOption('--reason <text>', 'or the reference of the legal opinion')
    .requiredOption('--person <id>', 'give it twice', (id: string, all: string[]) => [...all, id], [] as string[])
    .action(async (options: PartnerOption & { reading: string; reason: string; person: string[] }) => {
      await withNode(options, async (node) => {
        const by = node.recordedBy(terminalActor())
        const persons: ActPerson[] = options.person.map((id) => ({ id, at: by.at }))
        const act = { digest: readingDigest(agreementId, options.reading), persons }
        const wanted = { reading: options.reading, reason: options.reason, act }
        refuseOr(await asAdministration(node, (tx) => recordReading(tx, node.law, agreementId, wanted, by)))
        print(`Recorded: the term is read as "${options.reading}".`)
      })
    })

  withPartner(program.command('channel'))
    .description('open, suspend or close the channel with a partner')
    .addArgument(new Argument('<state>', 'the state to go to').choices(['closed', 'test', 'production', 'suspended']))
    .requiredOption('--reason <text>', 'why, or the reference of the order')
    .option(
      '--person <id>',
      'production needs it twice: two persons',
      (id: string, all: string[]) => [...all, id],
      [] as string[],
    )
    .option('--digest <digest>', 'production: the digest that `conditions list` shows, as both persons confirmed it')
    .action(
      async (
        state: string,
        options: PartnerOption & { reason: string; person: string[]; digest?: string },
        command: Command,
      ) => {
        await withNode(options, async (node) => {
          const channel = await channelOf(node, command, options.partner)
          const by = node.recordedBy(terminalActor())
          const act = options.digest
            ? { digest: options.digest, persons: options.person.map((id) => ({ id, at: by.at })) }
            : undefined
          const wanted = { to: state as ChannelState, reason: options.reason, ...(act && { act }) }
          const { parked } = refuseOr(await changeChannel(node, channel.partner, wanted, terminalActor()))
          print(
            `The channel with ${channel.partner} is now ${state}.${parked > 0 ? ` ${parked} test message(s) were parked.` : ''}`,
          )
        })
      },
    )
}
