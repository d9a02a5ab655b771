import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type AdministrationId, accept, type Decision, refuse } from '../kernel/index.ts'
import { findVerificationKey, type Keyring } from './keyset.ts'
import { Mode } from './message.ts'
import { readJws, type Signer, signJws, verifyJws } from './strict-jws.ts'

/** How far a request's clock may be from ours, in seconds, unless the Technical Conditions say otherwise. */
export const requestWindowSeconds = 60

export const RequestPayload = Type.Object(
  {
    iss: Type.String({ maxLength: 17 }),
    aud: Type.String({ maxLength: 17 }),
    mode: Mode,
    iat: Type.Integer(),
    jti: Type.String({ pattern: '^[A-Za-z0-9-]{16,64}$' }),
    operation: Type.Literal('frames'),
    /** SHA-256 of the frame's compact form, base64url. */
    contentDigest: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
  },
  { additionalProperties: false },
)
export type RequestPayload = Static<typeof RequestPayload>
const requestValidator = Compile(RequestPayload)

export const AnswerResult = Type.Object(
  {
    /** Place of the message in the frame, from 0. */
    index: Type.Integer({ minimum: 0, maximum: 499 }),
    outcome: Type.String({ pattern: '^[A-Z_]{2,40}$' }),
    id: Type.Optional(Type.String({ maxLength: 36 })),
    digest: Type.Optional(Type.String({ maxLength: 43 })),
    receipt: Type.Optional(Type.String({ maxLength: 2048 })),
  },
  { additionalProperties: false },
)
export type AnswerResult = Static<typeof AnswerResult>

export const AnswerPayload = Type.Object(
  {
    iss: Type.String({ maxLength: 17 }),
    aud: Type.String({ maxLength: 17 }),
    mode: Mode,
    iat: Type.Integer(),
    /** Digest of the request's signing input: an answer to one request is none to another. */
    requestDigest: Type.String({ maxLength: 43 }),
    outcome: Type.String({ pattern: '^[A-Z_]{2,40}$' }),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
    results: Type.Array(AnswerResult, { maxItems: 500 }),
  },
  { additionalProperties: false },
)
export type AnswerPayload = Static<typeof AnswerPayload>
const answerValidator = Compile(AnswerPayload)

export function composeRequest(payload: RequestPayload, signer: Signer): { compact: string; digest: string } {
  return signJws('dx1-request', payload, signer)
}

export function composeAnswer(payload: AnswerPayload, signer: Signer): string {
  return signJws('dx1-answer', payload, signer).compact
}

export interface RequestRefusal {
  readonly code: 'exchange/request-invalid' | 'exchange/request-stale'
  readonly reason: string
  /** Where the request could be read: what a signed refusal quotes, so that the peer can tell it from a stray answer. */
  readonly about?: { readonly requestDigest: string; readonly mode: Mode }
}

/** Reads and proves a request of a peer: signed by the partner the TLS key names, for us, for this content, now. */
export function openRequest(
  compact: string,
  expected: {
    me: AdministrationId
    partner: AdministrationId
    contentDigest: string
    now: Date
    keyring: (mode: Mode) => Keyring | undefined
  },
): Decision<{ payload: RequestPayload; digest: string }, RequestRefusal> {
  const read = readJws(compact, 'dx1-request')
  if (!read.ok) return refuse({ code: 'exchange/request-invalid' as const, reason: 'malformed' })
  const payload = read.value.payload
  if (!requestValidator.Check(payload)) return refuse({ code: 'exchange/request-invalid' as const, reason: 'members' })
  const about = { requestDigest: read.value.digest, mode: payload.mode }
  const invalid = (reason: string) => refuse({ code: 'exchange/request-invalid' as const, reason, about })
  if (payload.iss !== expected.partner) return invalid('issuer')
  if (payload.aud !== expected.me) return invalid('audience')
  if (payload.contentDigest !== expected.contentDigest) return invalid('content-digest')
  const keyring = expected.keyring(payload.mode)
  const key = keyring && findVerificationKey(keyring, read.value.kid, new Date(payload.iat * 1000))
  if (!key || !verifyJws(read.value, key)) return invalid('signature')
  if (Math.abs(payload.iat - expected.now.getTime() / 1000) > requestWindowSeconds)
    return refuse({ code: 'exchange/request-stale' as const, reason: 'clock', about })
  return accept({ payload, digest: read.value.digest })
}

/** Reads and proves the answer to our request. Undefined when it is anything else: then nothing in it counts. */
export function openAnswer(
  compact: string,
  expected: { me: AdministrationId; keyring: Keyring; requestDigest: string },
): AnswerPayload | undefined {
  const read = readJws(compact, 'dx1-answer')
  if (!read.ok || !answerValidator.Check(read.value.payload)) return undefined
  const payload = read.value.payload
  const forUs =
    payload.iss === expected.keyring.iss &&
    payload.aud === expected.me &&
    payload.mode === expected.keyring.mode &&
    payload.requestDigest === expected.requestDigest
  const key = forUs && findVerificationKey(expected.keyring, read.value.kid, new Date(payload.iat * 1000))
  return key && verifyJws(read.value, key) ? payload : undefined
}
