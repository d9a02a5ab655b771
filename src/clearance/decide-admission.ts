import { accept, type ClauseRef, type Decision, refuse } from '../kernel/index.ts'
import type { Clearance } from './model.ts'
import { type Body, isClearanceBody } from './parse-body.ts'
import { personalUseSign, postalSign, secrecySign } from './read-exclusion-signs.ts'
import type { Reference } from './reference/index.ts'

/** In order of precedence. The content stays unread: a refusal names the place of the sign and nothing of the goods. */
export interface AdmissionRefusal {
  readonly code:
    | 'clearance/prohibited-state-secret'
    | 'clearance/prohibited-postal'
    | 'clearance/prohibited-personal-use'
    | 'clearance/prohibited-not-cleared'
  readonly clause: ClauseRef
  readonly pointer: string
}

/**
 * Decides whether a body that arrived may be taken, by the filter that the sender had to apply.
 *
 * Why: exempt data received by mistake are quarantined unread, the sender is told, and no use is made of them. The
 * signs are those the sender's own decision reads, so nothing that was rightly sent is refused here.
 * @law STOP-2021/2.3-r1, STOP-2021/2.3-r2, STOP-2021/6.4, STOP-2021/1.2-r2
 */
export function decideAdmission(body: Body, reference: Reference): Decision<Body, AdmissionRefusal> {
  const refusal = isClearanceBody(body) ? prohibition(body.content, reference) : undefined
  return refusal ? refuse(refusal) : accept(body)
}

function prohibition(clearance: Clearance, { marks }: Reference): AdmissionRefusal | undefined {
  const secret = clearance.items.findIndex((item) => secrecySign(item, marks))
  if (secret >= 0)
    return { code: 'clearance/prohibited-state-secret', clause: 'STOP-2021/6.4', pointer: `/items/${secret}` }
  const postal = postalSign(clearance, marks)
  if (postal) return { code: 'clearance/prohibited-postal', clause: 'STOP-2021/2.3-r2', ...postal }
  const personal = personalUseSign(clearance, marks)
  if (personal) return { code: 'clearance/prohibited-personal-use', clause: 'STOP-2021/2.3-r1', ...personal }
  const { statusCode } = clearance.customsDecision
  if (statusCode === 'cleared' || statusCode === 'cleared-after-check') return undefined
  return {
    code: 'clearance/prohibited-not-cleared',
    clause: 'STOP-2021/1.2-r2',
    pointer: '/customsDecision/statusCode',
  }
}
