import type { OutboundDraft, Use } from '../exchange/index.ts'
import { canonicalJson } from '../kernel/index.ts'
import { applyDataItems } from './conditions/index.ts'
import type { ClearanceContext } from './context.ts'

/** What a partner may do with clearance data, by articles 6.1 to 6.3: customs control only, confidential, no onward use. */
export const clearanceUse = (personalData: boolean): Use => ({
  purpose: 'CUSTOMS_CONTROL',
  classification: 'CONFIDENTIAL',
  retention: 'STOP-5Y',
  onward: 'NONE',
  personalData,
})

/** Local urgency, not signed: a train that left comes before what was cleared days ahead. */
const priorities: Readonly<Record<string, number>> = {
  DEP: 8,
  CNL: 7,
  DSC: 6,
  ARR: 6,
  AMD: 5,
  'EXP-CLR': 5,
  'TRN-CLR': 5,
  USED: 1,
}

/**
 * Drafts a message of this side for the partner, or nothing while the channel is closed.
 *
 * The body is stripped of the elements that the working group has switched off before anything is signed, and written as
 * canonical JSON, so that equal content has equal bytes.
 * @law STOP-2021/1.4-r2, STOP-2021/4-r2
 */
export function draftMessage(
  context: ClearanceContext,
  type: string,
  body: object | undefined,
  place: { readonly subject: string; readonly lane: string; readonly ref?: string },
): OutboundDraft | undefined {
  const { channel, partner, conditions } = context
  if (!channel || !partner) return undefined
  const agreed = body && applyDataItems(type, body, conditions.dataItems).body
  return {
    partner,
    mode: channel.mode,
    agreement: channel.agreement,
    type,
    version: 1,
    subject: place.subject,
    lane: place.lane,
    ref: place.ref,
    body: agreed && Buffer.from(canonicalJson(agreed)),
    use: clearanceUse(agreed !== undefined && 'parties' in agreed),
    priority: priorities[type] ?? 3,
    expiresAt: new Date(context.now.getTime() + conditions.regulation.messageExpiryDays * 86_400_000),
  }
}
