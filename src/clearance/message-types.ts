import type { BodyDecision, MessageType, ReceivedMessage } from '../exchange/index.ts'
import type { ClauseRef, Instant, JsonValue, Problem } from '../kernel/index.ts'
import type { Transaction } from '../platform/db/index.ts'
import { checkClearance } from './check-clearance.ts'
import { checkDeparture } from './check-departure.ts'
import { applyDataItems } from './conditions/index.ts'
import type { ClearanceNode } from './context.ts'
import { decideAdmission } from './decide-admission.ts'
import { mergeWarnings } from './findings.ts'
import type { ReceivedFrom } from './lane-place-store.ts'
import { savePartnerDeparture } from './leg-store.ts'
import type { Arrival, Cancellation, Clearance, Departure, Discrepancy } from './model.ts'
import { type BodyType, parseBody } from './parse-body.ts'
import { savePartnerRecord } from './rail-record-store.ts'
import { saveDefective, saveReceivedClearances } from './received-store.ts'

/**
 * The message types of rail clearance, as main registers them with the exchange: what each body must be, what is warned
 * of, and where its content is kept.
 *
 * A body that is not strictly what the Technical Conditions say is rejected with places and codes and still shown to the
 * post as defective; a prohibited one is quarantined; everything else is accepted with warnings. An element that the
 * working group has switched off is neither kept nor shown.
 */
export function clearanceMessageTypes(node: ClearanceNode): readonly MessageType[] {
  const type = <Content>(
    name: BodyType,
    legalBasis: readonly ClauseRef[],
    warn: (body: Content, now: Instant) => readonly Problem[],
    keep: (tx: Transaction, messages: ReadonlyArray<ReceivedMessage<Content>>) => Promise<void>,
  ): MessageType => {
    const registered: MessageType<Content> = {
      type: name,
      version: 1,
      legalBasis,
      priority: 5,
      answered: true,
      decide: (body, { now }) => decideBody(node, name, body, (content: Content) => warn(content, now.toISOString())),
      save: async (tx, messages) => {
        await saveDefective(tx, messages)
        await keep(
          tx,
          messages.filter(({ decision }) => decision.kind === 'accepted'),
        )
        return []
      },
    }
    return registered as MessageType
  }
  const { reference, conditions } = node
  const warnOfClearance = (body: Clearance, now: Instant): readonly Problem[] =>
    checkClearance(body, reference, conditions.rules, now)
  const clearanceBasis = ['STOP-2021/2.1-r1', 'STOP-2021/2.1-r2', 'STOP-2021/2.1-r3']
  const factsBasis = ['STOP-2021/3.a', 'STOP-2021/4-r2']
  return [
    type<Clearance>('EXP-CLR', clearanceBasis, warnOfClearance, saveReceivedClearances),
    type<Clearance>('TRN-CLR', clearanceBasis, warnOfClearance, saveReceivedClearances),
    type<Clearance>('AMD', clearanceBasis, warnOfClearance, saveReceivedClearances),
    type<Cancellation>('CNL', ['STOP-2021/2.1-r1'], () => [], saveReceivedClearances),
    type<Departure>(
      'DEP',
      ['STOP-2021/1.2-r1', 'STOP-2021/4-r1'],
      (body, now) => checkDeparture(body, reference, conditions.rules, now),
      (tx, messages) =>
        eachAccepted(messages, (received, content, warnings) => savePartnerDeparture(tx, received, content, warnings)),
    ),
    type<Arrival>(
      'ARR',
      factsBasis,
      () => [],
      (tx, messages) =>
        eachAccepted(messages, (received, content) => savePartnerRecord(tx, received, { record: 'arrival', content })),
    ),
    type<Discrepancy>(
      'DSC',
      factsBasis,
      () => [],
      (tx, messages) =>
        eachAccepted(messages, (received, content) =>
          savePartnerRecord(tx, received, { record: 'discrepancy', content }),
        ),
    ),
  ]
}

async function eachAccepted<Content>(
  messages: ReadonlyArray<ReceivedMessage<Content>>,
  keep: (received: ReceivedFrom, content: Content, warnings: readonly Problem[]) => Promise<void>,
): Promise<void> {
  for (const { decision, partner, payload, receivedAt } of messages)
    if (decision.kind === 'accepted')
      await keep(
        { partner, mode: payload.mode, message: payload.id, place: payload, now: receivedAt },
        decision.content,
        decision.warnings,
      )
}

function decideBody<Content>(
  node: ClearanceNode,
  name: BodyType,
  body: JsonValue | undefined,
  warn: (content: Content) => readonly Problem[],
): BodyDecision<Content> {
  if (body === undefined) return { kind: 'rejected', problems: [{ code: 'clearance/body-missing', pointer: '' }] }
  const parsed = parseBody(name, body)
  if (!parsed.ok) return { kind: 'rejected', problems: parsed.refusal.problems }
  const admission = decideAdmission(parsed.value, node.reference)
  if (!admission.ok) return { kind: 'quarantined', problems: [{ code: admission.refusal.code, pointer: '' }] }
  const { body: agreed, leftOut } = applyDataItems(name, parsed.value.content, node.conditions.dataItems)
  const sent = 'warnings' in agreed ? agreed.warnings : undefined
  const content = agreed as Content
  return { kind: 'accepted', content, warnings: mergeWarnings([...(sent ?? []), ...leftOut], warn(content)) }
}
