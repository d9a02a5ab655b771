import type { CodeList } from '../kernel/index.ts'

/**
 * What a receiver answers for one message or one request, in order of precedence: the first that applies is the answer.
 * `final` means that sending the same bytes again cannot help; a person must act. The rest are worth another attempt.
 */
export const outcomes = [
  { code: 'FRAME_TOO_LARGE', final: true, scope: 'request' },
  { code: 'PEER_UNKNOWN', final: false, scope: 'request' },
  { code: 'REQUEST_INVALID', final: true, scope: 'request' },
  { code: 'REQUEST_STALE', final: false, scope: 'request' },
  { code: 'REQUEST_REPLAYED', final: false, scope: 'request' },
  { code: 'LINK_CLOSED', final: false, scope: 'request' },
  { code: 'FRAME_UNREADABLE', final: false, scope: 'request' },
  { code: 'MALFORMED', final: true, scope: 'message' },
  { code: 'WRONG_ISSUER', final: true, scope: 'message' },
  { code: 'WRONG_AUDIENCE', final: true, scope: 'message' },
  { code: 'WRONG_MODE', final: true, scope: 'message' },
  { code: 'RECEIVED', final: true, scope: 'message' },
  { code: 'KEY_UNKNOWN', final: false, scope: 'message' },
  { code: 'SIGNATURE_INVALID', final: true, scope: 'message' },
  { code: 'ID_CONFLICT', final: true, scope: 'message' },
  { code: 'NOT_YET', final: false, scope: 'message' },
  { code: 'EXPIRED', final: true, scope: 'message' },
  { code: 'AGREEMENT_UNKNOWN', final: true, scope: 'message' },
  { code: 'CONDITIONS_NOT_ACCEPTED', final: false, scope: 'message' },
  { code: 'TYPE_UNKNOWN', final: true, scope: 'message' },
  { code: 'USE_NOT_ACCEPTED', final: true, scope: 'message' },
  { code: 'PART_INVALID', final: true, scope: 'message' },
  { code: 'SEQUENCE_TAKEN', final: true, scope: 'message' },
  { code: 'BUSY', final: false, scope: 'message' },
] as const

export type OutcomeCode = (typeof outcomes)[number]['code']
/** What one message can be told. */
export type MessageOutcome = Extract<(typeof outcomes)[number], { scope: 'message' }>['code']
/** What a whole request can be told. */
export type RequestOutcome = Extract<(typeof outcomes)[number], { scope: 'request' }>['code']

const finals = new Map<string, boolean>(outcomes.map(({ code, final }) => [code, final]))

/** Whether an outcome cannot change by sending the same message again. An outcome this node does not know is not final. */
export function isFinal(code: string): boolean {
  return finals.get(code) ?? false
}

export const exchangeCodes = {
  'exchange/frame-too-large': {
    kind: 'refusal',
    means: 'the request is over 6 MiB on the wire',
  },
  'exchange/peer-unknown': { kind: 'refusal', means: 'the peer’s TLS key is pinned by no approved partner' },
  'exchange/request-invalid': {
    kind: 'refusal',
    means: 'the signed request is unreadable, not for us or not by the peer',
  },
  'exchange/request-stale': { kind: 'refusal', means: 'the request was signed outside the agreed clock window' },
  'exchange/request-replayed': { kind: 'refusal', means: 'the request id was seen before' },
  'exchange/link-closed': { kind: 'refusal', means: 'the channel with this partner is not open in this mode' },
  'exchange/frame-unreadable': {
    kind: 'refusal',
    means: 'the frame could not be decrypted, is no frame, or is over 4 MiB plain or 500 messages',
  },
  'exchange/malformed': { kind: 'refusal', means: 'the message is not a strictly written signed object' },
  'exchange/wrong-issuer': { kind: 'refusal', means: 'the message was issued by another administration than the peer' },
  'exchange/wrong-audience': { kind: 'refusal', means: 'the message is for another administration' },
  'exchange/wrong-mode': { kind: 'refusal', means: 'a test message in a live frame or the reverse' },
  'exchange/key-unknown': { kind: 'refusal', means: 'no published key of the issuer has this id and use' },
  'exchange/signature-invalid': { kind: 'refusal', means: 'the signature does not verify' },
  'exchange/id-conflict': { kind: 'refusal', means: 'the same message id came with other content' },
  'exchange/not-yet': { kind: 'refusal', means: 'issued more than 300 s ahead of our clock' },
  'exchange/expired': { kind: 'refusal', means: 'the message expired before it arrived' },
  'exchange/agreement-unknown': { kind: 'refusal', means: 'no such agreement is carried out with this partner' },
  'exchange/conditions-not-accepted': {
    kind: 'refusal',
    means: 'this version of the Technical Conditions is not in force here',
  },
  'exchange/type-unknown': { kind: 'refusal', means: 'no such message type and version is agreed' },
  'exchange/use-not-accepted': { kind: 'refusal', means: 'the stated use is not one the agreement allows' },
  'exchange/part-invalid': { kind: 'refusal', means: 'a part is missing, superfluous or differs from its digest' },
  'exchange/sequence-taken': { kind: 'refusal', means: 'another message holds this place in the lane' },
  'exchange/busy': { kind: 'refusal', means: 'the message could not be stored now' },
  'exchange/body-unreadable': { kind: 'refusal', means: 'the body part is not strictly written JSON' },
  'exchange/message-unknown': { kind: 'refusal', means: 'no message has this id' },
  'exchange/message-not-parked': { kind: 'refusal', means: 'only a parked message can be resent or skipped' },
  'exchange/part-damaged': { kind: 'refusal', means: 'a stored part differs from its digest and cannot be sent' },
  'exchange/partner-unknown': { kind: 'refusal', means: 'no partner has this id' },
  'exchange/partner-exists': { kind: 'refusal', means: 'the partner is known already with another root key' },
  'exchange/fingerprint-differs': { kind: 'refusal', means: 'the fingerprint read out is not the one of the root key' },
  'exchange/two-persons-needed': { kind: 'refusal', means: 'two different persons must confirm' },
  'exchange/card-invalid': { kind: 'refusal', means: 'the partner card cannot be read or is not signed by its root' },
  'exchange/keyset-rolled-back': { kind: 'refusal', means: 'the keyset has a lower number than the one held' },
  'exchange/keyset-conflict': { kind: 'refusal', means: 'another keyset with this number is held' },
  'exchange/sender': { kind: 'fault', means: 'sending failed inside this node and will be tried again' },
  'exchange/peer-unreachable': { kind: 'fault', means: 'no connection to the partner’s node' },
  'exchange/peer-not-pinned': {
    kind: 'fault',
    means: 'the node that answered has another key than the partner published',
  },
  'exchange/peer-answer-invalid': {
    kind: 'fault',
    means: 'the answer is not a signed answer of the partner to our request',
  },
} as const satisfies CodeList

/** The stable code of an outcome: `ID_CONFLICT` is `exchange/id-conflict`. */
export function codeOf(outcome: OutcomeCode): string {
  return `exchange/${outcome.toLowerCase().replaceAll('_', '-')}`
}
