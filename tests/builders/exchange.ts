/**
 * Two administrations with keys, keysets and messages that are valid by default. The keys are made from fixed texts, so
 * that every run, and the published vectors, have the same ones; they protect nothing.
 */
import { createECDH, createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from 'node:crypto'
import { type RawBuilder, sql } from 'kysely'
import pg from 'pg'
import {
  addPartner,
  answerFrames,
  answerTypes,
  approvePartner,
  composeMessage,
  type EntryRefusal,
  type ExchangeNode,
  type FrameEntry,
  fingerprintOf,
  type InboundContext,
  inspectEntry,
  type Keyring,
  type KeysetPayload,
  loadPartners,
  type MessageDraft,
  type MessageType,
  type Mode,
  type OpenChannel,
  type OutboundDraft,
  openKeyset,
  openPartnerCard,
  type PartContent,
  type Partner,
  type PartnerCard,
  type PostFrames,
  type PublicKeyJwk,
  type QueuedMessage,
  type ReadMessage,
  type ReceivedMessage,
  registerMessageTypes,
  type SignedKind,
  type SignedMessage,
  type Signer,
  saveOutbound,
  sha256,
  signerOf,
  signJws,
  spkiDigest,
  writeEntry,
} from '../../src/exchange/index.ts'
import { type Decision, Fault, type JsonValue } from '../../src/kernel/index.ts'
import { type Database, type Transaction, withActor } from '../../src/platform/db/index.ts'

/** The moment at which all of this is sent and received, unless a test says otherwise. */
export const testNow = new Date('2026-11-22T03:00:00.000Z')
/** When the test keys begin and cease to be valid: 90 days. */
export const testKeysFrom = new Date('2026-11-01T00:00:00.000Z')
export const testKeysUntil = new Date('2027-01-30T00:00:00.000Z')

const seconds = (at: Date): number => Math.floor(at.getTime() / 1000)

export interface TestKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicJwk: PublicKeyJwk
}

/** A P-256 key made from a text: the SHA-256 of the text is the private number. */
export function testKey(kid: string): TestKey {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(createHash('sha256').update(`dostyk test key, protects nothing: ${kid}`).digest())
  const point = ecdh.getPublicKey()
  const publicJwk: PublicKeyJwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const d = ecdh.getPrivateKey().toString('hex').padStart(64, '0')
  const privateJwk = { ...publicJwk, d: Buffer.from(d, 'hex').toString('base64url') }
  return {
    kid,
    publicJwk,
    privateKey: createPrivateKey({ key: privateJwk, format: 'jwk' }),
    publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
  }
}

export interface TestParty {
  readonly id: string
  readonly root: TestKey
  readonly sign: Readonly<Record<Mode, TestKey>>
  readonly decrypt: Readonly<Record<Mode, TestKey>>
  readonly tls: TestKey
  readonly keysets: Readonly<Record<Mode, string>>
  readonly keyrings: Readonly<Record<Mode, Keyring>>
  /** What the peer's TLS key is recognised by. */
  readonly pin: string
  readonly card: PartnerCard
  readonly fingerprint: string
  signer(mode: Mode): Signer
  decrypters(mode: Mode): ReadonlyMap<string, KeyObject>
}

/** The keyset payload of a party: one key of each use, valid for the 90 days around the test moment. */
export function keysetPayload(id: string, mode: Mode, overrides: Partial<KeysetPayload> = {}): KeysetPayload {
  const nbf = seconds(testKeysFrom)
  const exp = seconds(testKeysUntil)
  const entry = (use: 'sign' | 'decrypt' | 'tls', alg: string): KeysetPayload['keys'][number] => {
    const kid = keyId(id, mode, use)
    const { publicJwk } = testKey(use === 'tls' ? `${id}.tls.1` : kid)
    return { kid, use, alg, jwk: publicJwk, nbf, exp }
  }
  return {
    iss: id,
    mode,
    number: 1,
    prev: null,
    iat: nbf,
    exp,
    keys: [entry('sign', 'ES256'), entry('decrypt', 'ECDH-ES+A256KW'), entry('tls', 'ES256')],
    ...overrides,
  }
}

const keyId = (id: string, mode: Mode, use: string): string => `${id}.${mode}.${use}.1`

export function signKeyset(payload: object, root: TestKey): string {
  return signJws('dx1-keyset', payload, signerOf(root.kid, root.privateKey)).compact
}

/** An administration with a root and one key of each use in each mode. */
export function createParty(id: string, endpoint = `https://${id.toLowerCase()}.example:8443`): TestParty {
  const root = testKey(`${id}.root`)
  const both = <Value>(make: (mode: Mode) => Value): Readonly<Record<Mode, Value>> => ({
    test: make('test'),
    live: make('live'),
  })
  const sign = both((mode) => testKey(keyId(id, mode, 'sign')))
  const decrypt = both((mode) => testKey(keyId(id, mode, 'decrypt')))
  // A node shows one TLS key on its one port: both keysets pin it.
  const tls = testKey(`${id}.tls.1`)
  const keysets = both((mode) => signKeyset(keysetPayload(id, mode), root))
  const keyrings = both((mode) => {
    const opened = openKeyset(keysets[mode], { iss: id, mode, root: root.publicKey })
    if (!opened.ok) throw new Error(`the keyset of ${id} is not sound: ${opened.refusal.code}`)
    return opened.value
  })
  return {
    id,
    root,
    sign,
    decrypt,
    tls,
    keysets,
    keyrings,
    pin: spkiDigest(tls.publicKey),
    card: { administration: id, endpoint, root: root.publicJwk, keysets },
    fingerprint: fingerprintOf(root.publicKey),
    signer: (mode) => signerOf(sign[mode].kid, sign[mode].privateKey),
    decrypters: (mode) => new Map([[decrypt[mode].kid, decrypt[mode].privateKey]]),
  }
}

/** The sender, the receiver, and one who has no business here. */
export const kazakhstan = createParty('KZ-KGD')
export const china = createParty('CN-GACC')
export const stranger = createParty('GE-RS')

/** A UUIDv7 of the test moment, told apart by a number. */
export function testId(number: number): string {
  const at = testNow.getTime().toString(16).padStart(12, '0')
  return `${at.slice(0, 8)}-${at.slice(8)}-7000-8000-${number.toString(16).padStart(12, '0')}`
}

export function testPart(text = '{"declaration":"example"}', name = 'body'): PartContent & { mediaType: string } {
  const salt = createHash('sha256').update(`salt of ${name}`).digest().subarray(0, 16)
  return { name, salt, bytes: Buffer.from(text), mediaType: 'application/json' }
}

/** A message from Kazakhstan to China, as its sender would write it. */
export function messageDraft(overrides: Partial<MessageDraft> = {}): MessageDraft {
  return {
    id: testId(1),
    iss: kazakhstan.id,
    aud: china.id,
    mode: 'live',
    agreement: { id: 'STOP-2021', conditions: '1.0' },
    type: 'EXP-CLR',
    version: 1,
    subject: '5b1f0c1e-6f0d-4c8e-9d55-0a4c3f1b2d01',
    lane: '7c2f0c1e-6f0d-4c8e-9d55-0a4c3f1b2d02',
    seq: 1,
    epoch: 1,
    issuedAt: testNow.toISOString(),
    expiresAt: '2027-03-22T03:00:00.000Z',
    use: {
      purpose: 'CUSTOMS_CONTROL',
      classification: 'CONFIDENTIAL',
      retention: 'STOP-5Y',
      onward: 'NONE',
      personalData: true,
    },
    parts: [testPart()],
    ...overrides,
  }
}

export interface TestMessage {
  readonly draft: MessageDraft
  readonly compact: string
  readonly digest: string
  readonly entry: FrameEntry
}

/** A signed message with its frame entry. */
export function testMessage(overrides: Partial<MessageDraft> = {}, signer?: Signer): TestMessage {
  const draft = messageDraft(overrides)
  const signed = composeMessage(draft, signer ?? kazakhstan.signer(draft.mode))
  return { draft, ...signed, entry: writeEntry(signed.compact, draft.parts) }
}

/** A message as the sender's outbox holds it. */
export function queuedMessage(
  message: TestMessage = testMessage(),
  overrides: Partial<QueuedMessage> = {},
): QueuedMessage {
  const { id, lane, seq, expiresAt, parts } = message.draft
  return {
    id,
    digest: message.digest,
    message: message.compact,
    lane,
    seq,
    expiresAt,
    attempts: 0,
    parts,
    ...overrides,
  }
}

/** What China knows when a frame of Kazakhstan arrives. */
export function inboundContext(overrides: Partial<InboundContext> = {}): InboundContext {
  return {
    me: china.id,
    partner: kazakhstan.id,
    mode: 'live',
    now: testNow,
    keyring: kazakhstan.keyrings.live,
    accepted: new Map([['STOP-2021', new Set(['1.0'])]]),
    types: new Set(['EXP-CLR@1', 'SKIP@1']),
    retentionClasses: new Set(['STOP-5Y']),
    ...overrides,
  }
}

export function inspectAll(
  entries: readonly FrameEntry[],
  context: InboundContext,
): ReadonlyArray<Decision<ReadMessage, EntryRefusal>> {
  return entries.map((entry) => inspectEntry(entry, context))
}

/** Header and payload as given, signed rightly: what a hostile partner with a real key can write. */
export function forgeJws(
  parts: { readonly header?: unknown; readonly payload?: unknown },
  signer: Signer,
  typ: SignedKind = 'dx1-message',
): string {
  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const header = parts.header ?? { alg: 'ES256', kid: signer.kid, typ }
  const signingInput = `${encode(header)}.${encode(parts.payload ?? {})}`
  return `${signingInput}.${signer.sign(Buffer.from(signingInput)).toString('base64url')}`
}

/** The payload of a compact JWS, as plain JSON. */
export function payloadOf(compact: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(compact.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

export const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

/** The other signature that verifies for the same content: (r, n − s). */
export function mirrorSignature(compact: string): string {
  const dot = compact.lastIndexOf('.')
  const signature = Buffer.from(compact.slice(dot + 1), 'base64url')
  const s = P256_ORDER - BigInt(`0x${signature.subarray(32).toString('hex')}`)
  const mirrored = Buffer.concat([signature.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return `${compact.slice(0, dot)}.${mirrored.toString('base64url')}`
}

/** SHA-256 over header and payload, taken from the compact form without the project's reader. */
export function digestOf(compact: string): string {
  return sha256(compact.slice(0, compact.lastIndexOf('.')))
}

/** What a test message's body asks its type to do. */
export interface TestBody {
  readonly reject?: boolean
  readonly quarantine?: boolean
  readonly warn?: boolean
  /** Makes keeping the content fail: in our code, in the database, or because the database is away. */
  readonly failSave?: 'throw' | 'sql' | 'fault'
  readonly [member: string]: unknown
}

/** A message type like those of the clearance room, which remembers what it was asked to keep. */
export function testMessageType(
  kept: ReceivedMessage<TestBody>[],
  failing: () => boolean = () => true,
): MessageType<TestBody> {
  return {
    type: 'EXP-CLR',
    version: 1,
    legalBasis: ['STOP-2021/2.1-r1'],
    priority: 5,
    answered: true,
    decide(body) {
      const content = body as TestBody | undefined
      if (!content) return { kind: 'rejected', problems: [{ code: 'exchange/body-unreadable', pointer: '' }] }
      if (content.reject) return { kind: 'rejected', problems: [{ code: 'clearance/test-defect', pointer: '/reject' }] }
      if (content.quarantine)
        return { kind: 'quarantined', problems: [{ code: 'clearance/test-prohibited', pointer: '/quarantine' }] }
      const warnings = content.warn ? [{ code: 'clearance/test-warning', pointer: '/warn' }] : []
      return { kind: 'accepted', content, warnings }
    },
    async save(tx, messages) {
      for (const { decision } of messages) {
        const fail = decision.kind === 'accepted' ? decision.content.failSave : undefined
        if (fail === 'sql' && failing()) await sql`select 1 / 0`.execute(tx)
        if (fail === 'fault' && failing())
          throw new Fault('platform/database-unavailable', 'the database is away', { retryable: true })
        if (fail === 'throw' && failing()) throw new Error('the content cannot be kept')
      }
      kept.push(...messages)
      return []
    },
  }
}

export interface TestNode {
  readonly node: ExchangeNode
  readonly database: Database
  /** The other side, as this node knows it. */
  readonly peer: Partner
  /** What the test type was asked to keep. */
  readonly kept: ReceivedMessage<TestBody>[]
  /** What the node told its operator. */
  readonly reports: Array<{ readonly code: string; readonly id: string | undefined }>
  /** Whether bodies that ask for it make keeping fail. */
  failing: boolean
  now: Date
  channel: OpenChannel | undefined
  /** Signs a message with this body into the outbox. */
  send(body: TestBody | undefined, overrides?: Partial<OutboundDraft>): Promise<SignedMessage>
  rows<Row>(query: RawBuilder<Row>): Promise<readonly Row[]>
}

export const testPolicy = { retryDelaySecondsMin: 5, retryDelaySecondsMax: 900 } as const

/** A node of one administration that knows one approved partner, on a database of its own. */
export async function createNode(party: TestParty, partner: TestParty, database: Database): Promise<TestNode> {
  const opened = openPartnerCard(partner.card as unknown as JsonValue)
  if (!opened.ok) throw new Error(`the card of ${partner.id} is not sound: ${opened.refusal.reason}`)
  const officers = ['A. Officer', 'B. Officer']
  const peers = await withActor(database, { actor: 'test', purpose: 'test' }, async (tx) => {
    await addPartner(tx, opened.value, 'test')
    await approvePartner(tx, partner.id, { fingerprint: partner.fingerprint, officers }, 'test')
    return await loadPartners(tx)
  })
  const peer = peers[0]
  if (!peer) throw new Error(`${partner.id} was not approved`)
  const kept: ReceivedMessage<TestBody>[] = []
  const reports: TestNode['reports'] = []
  const agreement = { id: 'STOP-2021', conditions: '1.0' }
  const state: TestNode = {
    node: {
      me: party.id,
      signer: (mode) => party.signer(mode),
      decrypters: (mode) => party.decrypters(mode),
      types: registerMessageTypes([testMessageType(kept, () => state.failing), ...answerTypes]),
      policy: testPolicy,
      retentionClasses: new Set(['STOP-5Y']),
      partners: async () => [peer],
      channel: async () => state.channel,
      now: () => state.now,
      report: (code, _cause, facts) => reports.push({ code, id: facts['id'] }),
    },
    database,
    peer,
    kept,
    reports,
    failing: true,
    now: testNow,
    channel: { mode: 'live', agreement, acceptedConditions: new Set(['1.0']) },
    async send(body, overrides = {}) {
      const draft: OutboundDraft = {
        partner: partner.id,
        mode: 'live',
        agreement,
        type: 'EXP-CLR',
        version: 1,
        subject: randomUUID(),
        lane: randomUUID(),
        body: body && Buffer.from(JSON.stringify(body)),
        use: messageDraft().use,
        priority: 5,
        expiresAt: new Date(state.now.getTime() + 120 * 86_400_000),
        ...overrides,
      }
      const [signed] = await asTest(database, (tx) => saveOutbound(tx, state.node, [draft], state.now))
      if (!signed) throw new Error('one draft gives one message')
      return signed
    },
    rows: async (query) => await asTest(database, async (tx) => (await query.execute(tx)).rows),
  }
  return state
}

/** Empties what a test before left, so that a file of tests needs two databases and not two a test. */
export async function emptyExchange({ ownerUrl }: { readonly ownerUrl: string }): Promise<void> {
  const owner = new pg.Client({ connectionString: ownerUrl })
  await owner.connect()
  await owner.query(
    `truncate exchange.partner, exchange.keyset, exchange.lane, exchange.outbound, exchange.inbound, exchange.part,
       exchange.request_seen, exchange.refusal, exchange.link, audit.unnumbered, audit.entry cascade`,
  )
  await owner.end()
}

/** Runs work as somebody who may see payload tables. */
export async function asTest<Value>(database: Database, work: (tx: Transaction) => Promise<Value>): Promise<Value> {
  return await withActor(database, { actor: 'test', purpose: 'test' }, work)
}

/** Carries frames from one node to another in one process, as the edges of both would. */
export function carryTo(receiver: TestNode, senderPin: string, receiverPin: string): PostFrames {
  return async ({ pins }, body) => {
    if (!pins.includes(receiverPin)) throw new Fault('exchange/peer-not-pinned', 'another key than published')
    try {
      const response = await answerFrames(receiver.node, receiver.database, { peerPin: senderPin, body })
      return { status: response.status, body: response.body }
    } catch (error) {
      if (error instanceof Fault) return { status: 503, body: '', retryAfterSeconds: 5 }
      throw error
    }
  }
}
