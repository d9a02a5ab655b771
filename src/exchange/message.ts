import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type AdministrationId, accept, type Decision, type Instant, refuse } from '../kernel/index.ts'
import { type ReadJws, readJws, type Signer, sha256, signJws } from './strict-jws.ts'

/** `test` objects never become live data; each mode has its own keyset. */
export const Mode = Type.Union([Type.Literal('test'), Type.Literal('live')])
export type Mode = Static<typeof Mode>

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' })
const UuidV7 = Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' })
const InstantMs = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' })
const Digest = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const AdministrationIdText = Type.String({ pattern: '^[A-Z]{2}-[A-Z0-9]{2,14}$' })
const closed = { additionalProperties: false } as const

/** What the receiver may do with the content. The agreement decides; the message states it so that nobody need guess. */
export const Use = Type.Object(
  {
    purpose: Type.Literal('CUSTOMS_CONTROL'),
    classification: Type.Literal('CONFIDENTIAL'),
    retention: Type.String({ pattern: '^[A-Z0-9-]{1,20}$' }),
    onward: Type.Literal('NONE'),
    personalData: Type.Boolean(),
  },
  closed,
)
export type Use = Static<typeof Use>

/** The longest part: a document of some thousand lines. */
export const partBytesMax = 2 * 1024 * 1024

export const MessagePart = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,29}$' }),
    mediaType: Type.String({ pattern: '^[a-z]+/[a-z0-9.+-]{1,60}$' }),
    length: Type.Integer({ minimum: 0, maximum: partBytesMax }),
    digest: Digest,
  },
  closed,
)
export type MessagePart = Static<typeof MessagePart>

/** The signed payload of a message, as it stands on the wire. */
export const MessagePayload = Type.Object(
  {
    id: UuidV7,
    iss: AdministrationIdText,
    aud: AdministrationIdText,
    mode: Mode,
    agreement: Type.Object(
      {
        id: Type.String({ pattern: '^[A-Z0-9-]{1,30}$' }),
        conditions: Type.String({ pattern: '^\\d{1,3}\\.\\d{1,3}$' }),
      },
      closed,
    ),
    type: Type.String({ pattern: '^[A-Z][A-Z-]{1,19}$' }),
    version: Type.Integer({ minimum: 1, maximum: 999 }),
    subject: Uuid,
    lane: Uuid,
    seq: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    epoch: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
    conversation: Type.Optional(Uuid),
    ref: Type.Optional(UuidV7),
    issuedAt: InstantMs,
    expiresAt: InstantMs,
    use: Use,
    parts: Type.Array(MessagePart, { maxItems: 8 }),
  },
  closed,
)
export type MessagePayload = Static<typeof MessagePayload>
const validator = Compile(MessagePayload)

/** One part's bytes with the salt that hides them from guessing. */
export interface PartContent {
  readonly name: string
  readonly salt: Buffer
  readonly bytes: Buffer
}

/** A part's digest is SHA-256(salt ‖ bytes), base64url: once salt and bytes are erased the proof tells nothing. */
export function digestPart(salt: Uint8Array, bytes: Uint8Array): string {
  return sha256(Buffer.concat([salt, bytes]))
}

/** A message as it was read: its payload is well formed, and nothing of it is proven yet. */
export interface ReadMessage {
  readonly jws: ReadJws
  readonly payload: MessagePayload
}

export function readMessage(compact: string): Decision<ReadMessage, { code: 'exchange/malformed'; reason: string }> {
  const jws = readJws(compact, 'dx1-message')
  if (!jws.ok) return jws
  const payload = jws.value.payload
  if (!validator.Check(payload)) return refuse({ code: 'exchange/malformed' as const, reason: 'members' })
  if (!isInstant(payload.issuedAt) || !isInstant(payload.expiresAt))
    return refuse({ code: 'exchange/malformed' as const, reason: 'instant' })
  if (new Set(payload.parts.map((part) => part.name)).size !== payload.parts.length)
    return refuse({ code: 'exchange/malformed' as const, reason: 'part-twice' })
  return accept({ jws: jws.value, payload })
}

/** Whether a text names an instant that exists (no 30 February) and is written canonically: UTC with milliseconds. */
export function isInstant(text: string): boolean {
  const at = Date.parse(text)
  return !Number.isNaN(at) && new Date(at).toISOString() === text
}

/** What a message is made from; ids, sequence, times and salts are given, so that the same input gives the same bytes. */
export interface MessageDraft {
  readonly id: string
  readonly iss: AdministrationId
  readonly aud: AdministrationId
  readonly mode: Mode
  readonly agreement: { readonly id: string; readonly conditions: string }
  readonly type: string
  readonly version: number
  readonly subject: string
  readonly lane: string
  readonly seq: number
  readonly epoch: number
  readonly conversation?: string | undefined
  readonly ref?: string | undefined
  readonly issuedAt: Instant
  readonly expiresAt: Instant
  readonly use: Use
  readonly parts: ReadonlyArray<PartContent & { readonly mediaType: string }>
}

/** Signs a message. The members stand in the order of the published table. */
export function composeMessage(draft: MessageDraft, signer: Signer): { compact: string; digest: string } {
  const payload: MessagePayload = {
    id: draft.id,
    iss: draft.iss,
    aud: draft.aud,
    mode: draft.mode,
    agreement: draft.agreement,
    type: draft.type,
    version: draft.version,
    subject: draft.subject,
    lane: draft.lane,
    seq: draft.seq,
    epoch: draft.epoch,
    ...(draft.conversation && { conversation: draft.conversation }),
    ...(draft.ref && { ref: draft.ref }),
    issuedAt: draft.issuedAt,
    expiresAt: draft.expiresAt,
    use: draft.use,
    parts: draft.parts.map(({ name, mediaType, salt, bytes }) => ({
      name,
      mediaType,
      length: bytes.length,
      digest: digestPart(salt, bytes),
    })),
  }
  return signJws('dx1-message', payload, signer)
}
