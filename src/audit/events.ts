import { type Static, type TSchema, Type } from 'typebox'

/** A code, id, digest, count in words: never a person's name, goods or content of a record. */
const word = Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u001f\\u007f]*$' })
const count = Type.Integer({ minimum: 0 })
const mode = Type.Union([Type.Literal('test'), Type.Literal('live')])

/** Every fact an event may carry, with its one meaning. */
const facts = {
  agreement: word,
  approvals: count,
  attempt: count,
  bytes: count,
  channel: word,
  clause: word,
  code: word,
  conditions: word,
  containers: count,
  decision: word,
  digest: word,
  fingerprint: word,
  from: word,
  ground: word,
  instrument: word,
  kind: word,
  lane: word,
  messages: count,
  mode,
  moves: count,
  name: word,
  officers: word,
  on: word,
  outcome: word,
  partner: word,
  post: word,
  reading: word,
  reason: word,
  record: word,
  records: count,
  refused: count,
  scopes: word,
  seconds: count,
  seq: count,
  side: word,
  state: word,
  submission: word,
  to: word,
  type: word,
  units: count,
  used: count,
  version: word,
  wagons: count,
} as const satisfies Record<string, TSchema>

type FactName = keyof typeof facts

interface EventDefinition<Names extends FactName> {
  readonly means: string
  /** The facts it may carry; each may be left out. */
  readonly facts: readonly Names[]
  /** Which of them the event feed shows; `none` keeps the whole event out of the feed. */
  readonly feed: 'all' | 'none' | readonly Names[]
}

function event<const Names extends FactName>(
  means: string,
  names: readonly Names[],
  feed: 'all' | 'none' | readonly NoInfer<Names>[] = 'all',
): EventDefinition<Names> {
  return { means, facts: names, feed }
}

const message = ['partner', 'type', 'mode', 'lane', 'seq', 'digest'] as const
const inbound = ['partner', 'type', 'mode', 'lane', 'seq', 'digest', 'code', 'records'] as const

/**
 * The closed list of what the record can say. Append only: an event that was ever recorded keeps its name and meaning.
 *
 * The feed goes to the home systems: grounds for leaving data out, who approved, and what guards the node stay here.
 */
export const auditEvents = {
  'submission.received': event('a system, a file or the watched folder handed records over', [
    'channel',
    'mode',
    'bytes',
    'digest',
    'records',
    'refused',
  ]),
  'record.taken': event('a record was taken', ['kind', 'version', 'submission', 'mode', 'digest']),
  'record.unchanged': event('a record held already came again', ['kind', 'version', 'submission', 'mode', 'records']),
  'record.refused': event('records of a submission were refused', ['kind', 'code', 'submission', 'records', 'mode']),
  'record.superseded': event('a newer version took the place of a record', ['kind', 'version', 'submission', 'mode']),
  'declaration.decided': event(
    'it was decided whether the data of a declaration may be sent',
    ['version', 'outcome', 'ground', 'clause', 'partner', 'mode'],
    ['version', 'outcome', 'mode'],
  ),
  'held.decided': event(
    'an officer decided a declaration that was held',
    ['version', 'outcome', 'decision', 'ground', 'clause', 'mode'],
    ['version', 'outcome', 'mode'],
  ),
  'message.signed': event('a message was signed and queued', [...message, 'version', 'conditions']),
  'message.sent': event('a message was handed to the partner', [...message, 'attempt']),
  'message.attempt-failed': event('messages could not be handed over and wait for another attempt', [
    ...message,
    'attempt',
    'messages',
    'reason',
    'code',
    'seconds',
  ]),
  'message.received-by-partner': event('the partner signed the receipt of a message', [...message, 'outcome']),
  'message.accepted': event('the partner accepted the content of a message', message),
  'message.rejected': event('the partner rejected the content of a message', [...message, 'code', 'reason']),
  'message.used': event('the partner reported the data of a message as used', message),
  'message.parked': event('a message stopped and waits for a person', [...message, 'reason', 'code']),
  'message.resent': event('a person put a parked message back into its queue', [...message, 'reason']),
  'message.skipped': event('a person gave up a parked message; its place is marked by a signed SKIP', [
    ...message,
    'reason',
  ]),
  'message.expired': event('a message reached its end before it was delivered', message),
  'inbound.received': event('a message of a partner was stored and its receipt signed', inbound),
  'inbound.accepted': event('the content of a received message was accepted', inbound),
  'inbound.rejected': event('the content of a received message was rejected', inbound),
  'inbound.quarantined': event('content that may not be exchanged was put aside unread', inbound, [
    'partner',
    'type',
    'mode',
    'code',
  ]),
  'inbound.refused': event('a received message was refused and not stored', inbound, 'none'),
  'inbound.conflict': event('alarm: a message id came again with other content', inbound),
  'leg.listed': event('the railway listed the wagons and containers of a leg', [
    'wagons',
    'containers',
    'mode',
    'version',
  ]),
  'leg.departed': event('a train left over the border', ['units', 'wagons', 'containers', 'mode', 'partner']),
  'leg.arrived': event('a train was seen on its arrival', ['units', 'wagons', 'containers', 'mode', 'partner']),
  'leg.closed': event('everything on a leg was dealt with', ['used', 'units', 'mode', 'partner']),
  'reloading.recorded': event('goods or containers changed wagons', ['moves', 'mode']),
  'received.read': event('somebody read a record that a partner sent', ['partner', 'mode', 'record'], 'none'),
  'partner.added': event('a partner and its root key were added', ['fingerprint', 'mode'], 'none'),
  'partner.approved': event('two persons confirmed the root key of a partner', ['fingerprint', 'officers'], []),
  'partner.revoked': event('a partner may no longer connect', ['fingerprint', 'officers', 'reason'], []),
  'keyset.taken': event('a newer keyset of a partner was taken', ['mode', 'version', 'digest'], 'none'),
  'keyset.issued': event('this side issued a keyset', ['mode', 'version', 'digest'], 'none'),
  'gate.changed': event(
    'the channel with a partner changed its state',
    ['partner', 'agreement', 'conditions', 'mode', 'from', 'to', 'state', 'reason', 'officers', 'on'],
    ['partner', 'agreement', 'conditions', 'mode', 'from', 'to', 'state', 'on'],
  ),
  'conditions.agreed': event(
    'a version of the Technical Conditions was registered as agreed',
    ['agreement', 'partner', 'conditions', 'version', 'digest', 'from', 'to', 'on', 'officers'],
    ['agreement', 'partner', 'conditions', 'version', 'digest', 'from', 'to', 'on'],
  ),
  'conditions.approved': event(
    'a head of an administration approved a version of the Technical Conditions',
    ['agreement', 'partner', 'side', 'conditions', 'version', 'digest', 'on', 'name', 'post', 'approvals'],
    ['agreement', 'partner', 'side', 'conditions', 'version', 'digest', 'on', 'approvals'],
  ),
  'term-reading.recorded': event(
    'two authorised persons recorded how a term is read',
    ['agreement', 'instrument', 'clause', 'partner', 'reading', 'on', 'officers'],
    ['agreement', 'instrument', 'clause', 'partner', 'reading', 'on'],
  ),
  'law-record.entered': event(
    'a fact of law was entered: an entry into force, a notice, a decision of the working group',
    ['agreement', 'instrument', 'clause', 'partner', 'side', 'kind', 'on', 'digest', 'officers'],
    ['agreement', 'instrument', 'clause', 'partner', 'side', 'kind', 'on', 'digest'],
  ),
  'token.created': event('a token for a system was made', ['name', 'scopes', 'on'], 'none'),
  'token.revoked': event('a token was revoked', ['name', 'reason'], 'none'),
  'token.refused': event(
    'a call with a bad, revoked or too narrow token was refused',
    ['name', 'reason', 'code'],
    'none',
  ),
  'node.started': event('a process of this node started', ['version', 'mode'], 'none'),
  'node.stopped': event('a process of this node stopped in order', ['reason', 'seconds'], 'none'),
  'link.failed': event('the line to a partner went down', ['partner', 'mode', 'reason', 'code']),
  'link.restored': event('the line to a partner works again', ['partner', 'mode', 'seconds', 'messages']),
} as const

export type AuditEventType = keyof typeof auditEvents

type FactsOf<Type extends AuditEventType> = {
  readonly [Name in (typeof auditEvents)[Type]['facts'][number]]?: Static<(typeof facts)[Name]> | undefined
}

/** One thing that happened: what, to which object (an id, never content), and the few facts that tell it. */
export type AuditEvent = {
  readonly [Type in AuditEventType]: { readonly type: Type; readonly subject: string; readonly facts: FactsOf<Type> }
}[AuditEventType]

/** An event as it is read back, whatever version of this list wrote it. */
export interface StoredEvent {
  readonly type: AuditEventType
  readonly subject: string
  readonly facts: Readonly<Record<string, string | number>>
}

/** The schemas of all events, for checks and for the published description of the feed. */
export const auditEventSchemas: Readonly<Record<AuditEventType, TSchema>> = Object.fromEntries(
  Object.entries(auditEvents).map(([type, { facts: names, means }]) => [
    type,
    Type.Object(
      {
        type: Type.Literal(type),
        subject: word,
        facts: Type.Object(Object.fromEntries(names.map((name: FactName) => [name, Type.Optional(facts[name])])), {
          additionalProperties: false,
        }),
      },
      { additionalProperties: false, description: means },
    ),
  ]),
) as unknown as Readonly<Record<AuditEventType, TSchema>>

/** Leaves of an event what the feed may show. @returns undefined when the feed shows nothing of it */
export function narrowToFeed(event: StoredEvent): StoredEvent | undefined {
  const feed: 'all' | 'none' | readonly string[] = auditEvents[event.type].feed
  if (feed === 'all') return event
  if (feed === 'none') return undefined
  const shown = Object.entries(event.facts).filter(([name]) => feed.includes(name))
  return { ...event, facts: Object.fromEntries(shown) }
}
