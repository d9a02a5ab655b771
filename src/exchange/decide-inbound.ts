import { type AdministrationId, accept, type Decision, refuse } from '../kernel/index.ts'
import type { MessageOutcome } from './codes.ts'
import { type FrameEntry, readPart } from './frame.ts'
import { findVerificationKey, type Keyring } from './keyset.ts'
import { digestPart, type Mode, type PartContent, type ReadMessage, readMessage } from './message.ts'
import { sha256, verifyJws } from './strict-jws.ts'

/** How far ahead of our clock a message may have been issued. */
export const issuedAheadSecondsMax = 300

/** What the receiver knows when a frame arrives. Nothing here is read from the message. */
export interface InboundContext {
  readonly me: AdministrationId
  /** Whom the TLS key names. */
  readonly partner: AdministrationId
  readonly mode: Mode
  readonly now: Date
  readonly keyring: Keyring
  /** Versions of the Technical Conditions accepted now, by agreement. */
  readonly accepted: ReadonlyMap<string, ReadonlySet<string>>
  /** Message types and versions registered, as `TYPE@version`. */
  readonly types: ReadonlySet<string>
  /** Retention classes the agreement knows. */
  readonly retentionClasses: ReadonlySet<string>
}

export interface EntryRefusal {
  readonly outcome: Exclude<MessageOutcome, 'RECEIVED'>
  readonly id?: string | undefined
  readonly digest?: string | undefined
  readonly reason?: string | undefined
}

/** What the ledger holds about an id, or about a place in a lane. */
export interface StoredMessage {
  readonly id: string
  readonly digest: string
  readonly receipt: string
}

export type InboundDecision =
  | { readonly kind: 'duplicate'; readonly message: ReadMessage; readonly receipt: string }
  /** The same message stands twice in this frame: it gets the receipt of the first. */
  | { readonly kind: 'repeated'; readonly message: ReadMessage; readonly ofIndex: number }
  | { readonly kind: 'refused'; readonly refusal: EntryRefusal }
  | { readonly kind: 'store'; readonly message: ReadMessage; readonly parts: readonly PartContent[] }

/** First look at an entry, before the ledger is asked: is it a message, from the peer, for us, in this mode? */
export function inspectEntry(
  entry: FrameEntry,
  context: Pick<InboundContext, 'me' | 'partner' | 'mode'>,
): Decision<ReadMessage, EntryRefusal> {
  const read = readMessage(entry.message)
  if (!read.ok) {
    const [header, payload, ...rest] = entry.message.split('.', 4)
    const digest = rest.length === 1 ? sha256(`${header}.${payload}`) : undefined
    return refuse({ outcome: 'MALFORMED', digest, reason: read.refusal.reason })
  }
  const { payload, jws } = read.value
  const about = { id: payload.id, digest: jws.digest }
  if (payload.iss !== context.partner) return refuse({ outcome: 'WRONG_ISSUER', ...about })
  if (payload.aud !== context.me) return refuse({ outcome: 'WRONG_AUDIENCE', ...about })
  if (payload.mode !== context.mode) return refuse({ outcome: 'WRONG_MODE', ...about })
  return accept(read.value)
}

/** Names a place in a lane: what `sequence` lookups are keyed by. */
export function placeOf(payload: { lane: string; epoch: number; seq: number }): string {
  return `${payload.lane}/${payload.epoch}/${payload.seq}`
}

/**
 * Decides what becomes of each entry of a frame, in the order of the published table of outcomes.
 *
 * Why here: HTTP, files and the simulator must give one answer. A message held already with the same digest gets its
 * stored receipt before anything is verified again, so that a duplicate costs nothing; everything else must prove
 * itself first. One bad entry never costs the others.
 * @param stored what the ledger holds by message id
 * @param holders which message holds a place in a lane, by `placeOf`
 */
export function decideFrame(
  entries: readonly FrameEntry[],
  inspected: ReadonlyArray<Decision<ReadMessage, EntryRefusal>>,
  stored: ReadonlyMap<string, StoredMessage>,
  holders: ReadonlyMap<string, string>,
  context: InboundContext,
): readonly InboundDecision[] {
  const firstOf = new Map<string, number>()
  const taken = new Map<string, string>()
  return inspected.map((inspection, index): InboundDecision => {
    if (!inspection.ok) return { kind: 'refused', refusal: inspection.refusal }
    const message = inspection.value
    const { payload, jws } = message
    const held = stored.get(payload.id)
    if (held?.digest === jws.digest) return { kind: 'duplicate', message, receipt: held.receipt }
    const earlier = firstOf.get(payload.id)
    const first = earlier === undefined ? undefined : inspected[earlier]
    if (earlier !== undefined && first?.ok && first.value.jws.digest === jws.digest)
      return { kind: 'repeated', message, ofIndex: earlier }
    const refused = (outcome: EntryRefusal['outcome']): InboundDecision => ({
      kind: 'refused',
      refusal: { outcome, id: payload.id, digest: jws.digest },
    })
    const outcome = judge(message, context, held !== undefined || earlier !== undefined)
    if (outcome) return refused(outcome)
    const parts = openParts(message, entries[index]?.parts ?? {})
    if (!parts) return refused('PART_INVALID')
    const holder = holders.get(placeOf(payload)) ?? taken.get(placeOf(payload))
    // Held by this very message: another request stored it since the ledger was asked for its id.
    const free = holder === undefined || holder === payload.id || holder === payload.ref
    if (!free) return refused('SEQUENCE_TAKEN')
    firstOf.set(payload.id, index)
    taken.set(placeOf(payload), payload.id)
    return { kind: 'store', message, parts }
  })
}

function judge(
  { payload, jws }: ReadMessage,
  context: InboundContext,
  idHeld: boolean,
): EntryRefusal['outcome'] | undefined {
  const issuedAt = new Date(payload.issuedAt)
  const key = findVerificationKey(context.keyring, jws.kid, issuedAt)
  if (!key) return 'KEY_UNKNOWN'
  if (!verifyJws(jws, key)) return 'SIGNATURE_INVALID'
  if (idHeld) return 'ID_CONFLICT'
  if (issuedAt.getTime() > context.now.getTime() + issuedAheadSecondsMax * 1000) return 'NOT_YET'
  if (Date.parse(payload.expiresAt) <= context.now.getTime()) return 'EXPIRED'
  const versions = context.accepted.get(payload.agreement.id)
  if (!versions) return 'AGREEMENT_UNKNOWN'
  if (!versions.has(payload.agreement.conditions)) return 'CONDITIONS_NOT_ACCEPTED'
  if (!context.types.has(`${payload.type}@${payload.version}`)) return 'TYPE_UNKNOWN'
  if (!context.retentionClasses.has(payload.use.retention)) return 'USE_NOT_ACCEPTED'
  return undefined
}

/** The parts of a message, each as long and with the digest that was signed, none missing and none besides. */
function openParts(
  { payload }: ReadMessage,
  wire: Readonly<Record<string, string>>,
): readonly PartContent[] | undefined {
  if (Object.keys(wire).length !== payload.parts.length) return undefined
  const parts: PartContent[] = []
  for (const { name, length, digest } of payload.parts) {
    const part = Object.hasOwn(wire, name) ? readPart(name, wire[name] ?? '') : undefined
    if (part?.bytes.length !== length || digestPart(part.salt, part.bytes) !== digest) return undefined
    parts.push(part)
  }
  return parts
}
