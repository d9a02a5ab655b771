/**
 * Makes the vectors, schemas and the table of outcomes of `contracts/exchange/1.0`.
 *
 * `node bin/node24.mjs tools/exchange-vectors.ts` writes what differs, and the index with the digest of every file.
 * Everything follows from the code here, except what is random by nature: ES256 signatures and the keys of a frame. Those
 * are taken over from the files that stand there, as long as they sign and seal the same bytes, so that making the vectors
 * again changes nothing.
 */
import { createHmac, createPublicKey, verify } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compactDecrypt } from 'jose'
import {
  composeAnswer,
  composeMessage,
  composeReceipt,
  composeRequest,
  digestPart,
  exchangeCodes,
  exchangeSchemas,
  type FrameEntry,
  type MessageDraft,
  openFrame,
  outcomes,
  type RequestPayload,
  type Signer,
  sealFrame,
  sha256,
  signerOf,
  signJws,
  writeEntry,
  writeFrame,
} from '../src/exchange/index.ts'
import {
  china,
  forgeJws,
  kazakhstan,
  keysetPayload,
  messageDraft,
  mirrorSignature,
  P256_ORDER,
  payloadOf,
  stranger,
  type TestKey,
  type TestParty,
  testId,
  testNow,
  testPart,
} from '../tests/builders/exchange.ts'
import { makePlainPackage } from './contracts/plain-package.ts'

const ROOT = fileURLToPath(new URL('../contracts/exchange/1.0/', import.meta.url))
const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
const JWS = /[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}(?![A-Za-z0-9_-])/g
const JWE = /[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{54}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])/g

/** Signs and seals, and takes what it made before when it is for the same bytes. */
class Memory {
  private readonly signatures = new Map<string, Buffer[]>()
  private readonly frames: readonly string[]

  constructor(texts: Iterable<string>) {
    const frames: string[] = []
    for (const text of texts) {
      for (const [compact] of text.matchAll(JWS)) {
        const dot = compact.lastIndexOf('.')
        const input = compact.slice(0, dot)
        this.signatures.set(input, [
          ...(this.signatures.get(input) ?? []),
          Buffer.from(compact.slice(dot + 1), 'base64url'),
        ])
      }
      frames.push(...[...text.matchAll(JWE)].map(([compact]) => compact))
    }
    this.frames = frames
  }

  signer(kid: string, key: TestKey): Signer {
    return {
      kid,
      sign: (data) => {
        const input = Buffer.from(data).toString()
        const options = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const
        const known = this.signatures.get(input) ?? []
        const held = known.find((each) => isLow(each) && verify('sha256', data, options, each))
        if (held) return held
        const fresh = signerOf(kid, key.privateKey).sign(data)
        const signature = isLow(fresh) ? fresh : mirror(fresh)
        this.signatures.set(input, [...known, signature])
        return signature
      },
    }
  }

  async seal(plain: Uint8Array, recipient: TestKey): Promise<string> {
    for (const frame of this.frames) {
      const opened = await openFrame(frame, new Map([[recipient.kid, recipient.privateKey]]))
      if (opened.ok && Buffer.from(opened.value).equals(plain)) return frame
    }
    return await sealFrame(plain, { kid: recipient.kid, key: recipient.publicKey })
  }
}

/** Of the two signatures for one content the vectors hold the one with the smaller s, so that there is one. */
const isLow = (signature: Buffer): boolean => BigInt(`0x${signature.subarray(32).toString('hex')}`) <= P256_ORDER / 2n
const mirror = (signature: Buffer): Buffer =>
  Buffer.from(mirrorSignature(`.${signature.toString('base64url')}`).slice(1), 'base64url')

interface Vector {
  readonly name: string
  /** What it shows, in one sentence. */
  readonly shows: string
  readonly [member: string]: unknown
}

const nowSeconds = testNow.getTime() / 1000
const base64 = (value: string | Uint8Array): string => Buffer.from(value).toString('base64url')
const flipLast = (part: string): string => {
  const bytes = Buffer.from(part, 'base64url')
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  return bytes.toString('base64url')
}
const swapPart = (compact: string, index: number, part: string): string =>
  compact
    .split('.')
    .map((each, at) => (at === index ? part : each))
    .join('.')

/**
 * Makes every generated file of the contract.
 * @param existing the files that stand there, by path
 */
export async function makeExchangeContract(
  existing: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const memory = new Memory(existing.values())
  const signer = (party: TestParty, mode: 'test' | 'live' = 'live') =>
    memory.signer(party.sign[mode].kid, party.sign[mode])
  const kz = signer(kazakhstan)
  const cn = signer(china)
  const files = new Map<string, string>()
  const put = (file: string, value: unknown): void => {
    files.set(file, pretty(value))
  }

  for (const [file, schema] of exchangeSchemas()) put(`schemas/${file}`, schema)
  put('outcomes.json', {
    about:
      'What a receiver answers, in order of precedence: the first that applies. The code exchange/… names the same in problem+json and records.',
    outcomes: outcomes.map(({ code, final, scope }, index) => {
      const name = `exchange/${code.toLowerCase().replaceAll('_', '-')}`
      const means =
        name in exchangeCodes
          ? exchangeCodes[name as keyof typeof exchangeCodes].means
          : 'stored; the receipt proves it'
      return { rank: index + 1, code, scope, final, means }
    }),
  })

  // Keys, keysets and cards.
  const keyset = (party: TestParty, payload: object, root: TestKey = party.root): string =>
    signJws('dx1-keyset', payload, memory.signer(root.kid, root)).compact
  const parties = [kazakhstan, china, stranger]
  const privateJwk = (key: TestKey): unknown => key.privateKey.export({ format: 'jwk' })
  const cards = new Map(
    parties.map((party) => [
      party.id,
      {
        ...party.card,
        keysets: {
          test: keyset(party, keysetPayload(party.id, 'test')),
          live: keyset(party, keysetPayload(party.id, 'live')),
        },
      },
    ]),
  )
  put('vectors/keys.json', {
    about:
      'TEST KEYS. The private numbers are published here and protect nothing. Never use them outside these vectors.',
    parties: parties.map((party) => ({
      administration: party.id,
      rootFingerprint: party.fingerprint,
      tlsPin: party.pin,
      card: cards.get(party.id),
      privateKeys: {
        root: { kid: party.root.kid, jwk: privateJwk(party.root) },
        sign: {
          test: { kid: party.sign.test.kid, jwk: privateJwk(party.sign.test) },
          live: { kid: party.sign.live.kid, jwk: privateJwk(party.sign.live) },
        },
        decrypt: {
          test: { kid: party.decrypt.test.kid, jwk: privateJwk(party.decrypt.test) },
          live: { kid: party.decrypt.live.kid, jwk: privateJwk(party.decrypt.live) },
        },
        tls: privateJwk(party.tls),
      },
    })),
  })

  // What the receiver of the message vectors knows.
  const held = makeMessage({ id: testId(100), seq: 7 })
  function makeMessage(overrides: Partial<MessageDraft> = {}, by: Signer = kz) {
    const draft = messageDraft(overrides)
    const signed = composeMessage(draft, by)
    return { draft, ...signed, entry: writeEntry(signed.compact, draft.parts) }
  }
  const heldReceipt = composeReceipt(held.draft, held.digest, testNow.toISOString(), cn)
  put('vectors/context.json', {
    about:
      'What the receiver knows when it judges the message vectors, unless a vector says otherwise in its own `context`.',
    me: china.id,
    partner: kazakhstan.id,
    mode: 'live',
    now: testNow.toISOString(),
    accepted: { 'STOP-2021': ['1.0'] },
    types: ['EXP-CLR@1', 'ACCEPTED@1', 'REJECTED@1', 'USED@1', 'SKIP@1'],
    retentionClasses: ['STOP-5Y'],
    held: [
      {
        id: held.draft.id,
        digest: held.digest,
        lane: held.draft.lane,
        epoch: held.draft.epoch,
        seq: held.draft.seq,
        receipt: heldReceipt,
      },
    ],
  })

  // Messages.
  const message = makeMessage()
  const base = payloadOf(message.compact)
  const entry = (name: string, shows: string, given: FrameEntry, outcome: string, more: object = {}): Vector => ({
    name,
    shows,
    outcome,
    ...more,
    entry: given,
  })
  const made = (
    name: string,
    shows: string,
    overrides: Partial<MessageDraft>,
    outcome: string,
    by: Signer = kz,
    more: object = {},
  ): Vector => entry(name, shows, makeMessage(overrides, by).entry, outcome, more)
  /** A payload as given, rightly signed. */
  const written = (
    name: string,
    shows: string,
    changes: object | string,
    outcome = 'MALFORMED',
    by: Signer = kz,
  ): Vector => {
    const payload = typeof changes === 'string' ? changes : { ...base, ...changes }
    return entry(name, shows, { message: forgeJws({ payload }, by), parts: message.entry.parts }, outcome)
  }
  /** A header as given, rightly signed. */
  const headed = (name: string, shows: string, header: object | string): Vector =>
    entry(name, shows, { message: forgeJws({ header, payload: base }, kz), parts: message.entry.parts }, 'MALFORMED')
  const head = { alg: 'ES256', kid: kz.kid, typ: 'dx1-message' }
  const text = JSON.stringify(base)
  const parts = Array.from({ length: 8 }, (_, index) => testPart(`{"part":${index}}`, `part-${index}`))
  const sameWithParts = (name: string, shows: string, wire: Record<string, string>): Vector =>
    entry(name, shows, { message: message.compact, parts: wire }, 'PART_INVALID')
  const body = testPart()
  const wire = message.entry.parts['body'] ?? ''

  put('vectors/valid/messages.json', [
    made('message', 'A message with one part.', {}, 'RECEIVED'),
    made(
      'message-without-parts',
      'A message may have no part.',
      { id: testId(2), type: 'SKIP', parts: [] },
      'RECEIVED',
    ),
    made('message-with-eight-parts', 'Eight parts are the most.', { id: testId(3), seq: 2, parts }, 'RECEIVED'),
    made(
      'message-with-conversation-and-ref',
      'The two optional members.',
      { id: testId(4), seq: 3, conversation: '11111111-2222-4333-8444-555555555555', ref: testId(2) },
      'RECEIVED',
    ),
    made(
      'message-with-largest-numbers',
      'The largest seq and epoch.',
      { id: testId(5), seq: 2 ** 53 - 1, epoch: 2 ** 31 - 1 },
      'RECEIVED',
    ),
    made(
      'issued-300-s-ahead',
      'Issued exactly 300 s ahead of the receiver’s clock.',
      { id: testId(6), seq: 4, issuedAt: '2026-11-22T03:05:00.000Z' },
      'RECEIVED',
    ),
    made(
      'expires-in-a-millisecond',
      'Expires one millisecond after the receiver’s clock.',
      { id: testId(7), seq: 5, expiresAt: '2026-11-22T03:00:00.001Z' },
      'RECEIVED',
    ),
    made(
      'issued-in-the-first-moment-of-its-key',
      'A key may sign from its `nbf` on.',
      { id: testId(8), seq: 6, issuedAt: '2026-11-01T00:00:00.000Z' },
      'RECEIVED',
    ),
    entry(
      'header-in-another-order',
      'The order of header members and white space between them are free; they change the digest.',
      {
        message: forgeJws(
          { header: `{ "typ": "dx1-message", "kid": "${kz.kid}", "alg": "ES256" }`, payload: base },
          kz,
        ),
        parts: message.entry.parts,
      },
      'RECEIVED',
    ),
    entry('duplicate', 'A message the receiver holds: it answers with the stored receipt.', held.entry, 'RECEIVED', {
      receipt: heldReceipt,
    }),
    entry(
      'duplicate-with-mirrored-signature',
      'The signature (r, n − s) verifies too; the digest is the same, so it is the same message.',
      { ...held.entry, message: mirrorSignature(held.compact) },
      'RECEIVED',
      { receipt: heldReceipt },
    ),
    entry(
      'duplicate-with-any-signature',
      'The digest alone says which content this is: the signature of what is held already is not looked at again.',
      { ...held.entry, message: swapPart(held.compact, 2, message.compact.split('.')[2] ?? '') },
      'RECEIVED',
      { receipt: heldReceipt },
    ),
    entry(
      'duplicate-long-after',
      'A duplicate is recognised before time, keys and versions are looked at.',
      { ...held.entry, parts: {} },
      'RECEIVED',
      { receipt: heldReceipt, context: { now: '2030-01-01T00:00:00.000Z', accepted: {} } },
    ),
    made(
      'skip-in-place-of-held',
      'A message may take a held place when its `ref` names the holder.',
      { id: testId(9), type: 'SKIP', seq: 7, ref: held.draft.id, parts: [] },
      'RECEIVED',
    ),
  ])

  const hs256 = `${base64(JSON.stringify({ ...head, alg: 'HS256' }))}.${base64(text)}`
  const publicPem = createPublicKey(kazakhstan.sign.live.privateKey).export({ type: 'spki', format: 'pem' })
  const [, , signature = ''] = message.compact.split('.')
  const deep = `{"a":${'['.repeat(6)}${']'.repeat(6)}}`
  put('vectors/invalid/messages.json', [
    headed('alg-none', 'No algorithm but ES256.', { ...head, alg: 'none' }),
    entry(
      'alg-hs256-with-public-key',
      'A MAC made with the public key as its secret.',
      {
        message: `${hs256}.${createHmac('sha256', publicPem).update(hs256).digest('base64url')}`,
        parts: message.entry.parts,
      },
      'MALFORMED',
    ),
    headed('header-crit', 'An unknown header member, announced as critical.', { ...head, crit: ['dx2'], dx2: true }),
    headed('header-b64-false', 'An unencoded payload.', { ...head, b64: false, crit: ['b64'] }),
    headed('header-jwk', 'A key that the message brings itself.', { ...head, jwk: kazakhstan.sign.live.publicJwk }),
    headed('header-jku', 'The address of a key.', { ...head, jku: 'https://keys.example/jwks.json' }),
    headed(
      'header-duplicate-member',
      'Two members of one name.',
      `{"alg":"none","alg":"ES256","kid":"${kz.kid}","typ":"dx1-message"}`,
    ),
    headed('kid-path', 'A path as key id.', { ...head, kid: '../../../etc/passwd' }),
    headed('kid-sql', 'SQL as key id.', { ...head, kid: "x' or '1'='1" }),
    headed('typ-of-a-receipt', 'An object of another kind.', { ...head, typ: 'dx1-receipt' }),
    entry('receipt-as-message', 'A receipt in place of a message.', { message: heldReceipt, parts: {} }, 'MALFORMED'),
    written('payload-duplicate-member', 'Equal members twice are refused too.', text.replace('{', '{"seq":1,')),
    written('payload-proto', 'A member named __proto__.', text.replace('{', '{"__proto__":{},')),
    written('payload-number-1e400', 'A number that no double can hold.', text.replace('"seq":1', '"seq":1e400')),
    written(
      'payload-number-with-fraction',
      'Only whole numbers, written without exponent or fraction.',
      text.replace('"seq":1', '"seq":1.0'),
    ),
    written(
      'payload-number-over-2-53',
      'An integer that a double rounds.',
      text.replace('"seq":1', '"seq":9007199254740993'),
    ),
    written('payload-lone-surrogate', 'Half a character.', text.replace('"STOP-5Y"', '"\\ud800"')),
    written('payload-seven-levels', 'Deeper than six levels.', deep),
    written('payload-byte-order-mark', 'A byte order mark.', `\uFEFF${text}`),
    written('payload-list', 'A payload that is no object.', '[]'),
    written('member-unknown', 'A member that the schema does not know.', { declarationNumber: '55302/221126/0001234' }),
    written('member-missing', 'A member less.', JSON.stringify({ ...base, seq: undefined })),
    written('id-version-4', 'An id is a UUID of version 7.', { id: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d' }),
    written('id-in-capitals', 'A UUID has one spelling.', { id: testId(10).toUpperCase() }),
    written('instant-30-february', 'A day that does not exist.', { expiresAt: '2027-02-30T00:00:00.000Z' }),
    written('instant-without-milliseconds', 'An instant has one spelling.', { issuedAt: '2026-11-22T03:00:00Z' }),
    written('instant-with-offset', 'An instant is in UTC.', { issuedAt: '2026-11-22T08:00:00.000+05:00' }),
    written('seq-zero', 'Sequences begin with 1.', { seq: 0 }),
    written('epoch-over-31-bits', 'An epoch fits 31 bits.', { epoch: 2 ** 31 }),
    written('use-onward', 'Nothing is passed on.', { use: { ...messageDraft().use, onward: 'ANY' } }),
    written('part-twice', 'Two parts of one name.', {
      parts: [(base['parts'] as unknown[])[0], (base['parts'] as unknown[])[0]],
    }),
    written('part-named-proto', 'A part named __proto__.', {
      parts: [{ ...(base['parts'] as object[])[0], name: '__proto__' }],
    }),
    written('nine-parts', 'One part too many.', {
      parts: Array.from({ length: 9 }, (_, index) => ({ ...(base['parts'] as object[])[0], name: `part-${index}` })),
    }),
    made(
      'issuer-not-the-peer',
      'Issued by another than the peer, though the peer signed it.',
      { id: testId(20), iss: stranger.id },
      'WRONG_ISSUER',
    ),
    made(
      'reflected',
      'The receiver’s own message, sent back to it.',
      { id: testId(21), iss: china.id, aud: kazakhstan.id },
      'WRONG_ISSUER',
      cn,
    ),
    made(
      'audience-not-me',
      'A message for a third administration.',
      { id: testId(22), aud: stranger.id },
      'WRONG_AUDIENCE',
    ),
    made(
      'test-in-live',
      'A test message in a live frame.',
      { id: testId(23), mode: 'test' },
      'WRONG_MODE',
      signer(kazakhstan, 'test'),
    ),
    made('live-in-test', 'A live message in a test frame.', { id: testId(24) }, 'WRONG_MODE', kz, {
      context: { mode: 'test' },
    }),
    made(
      'key-unknown',
      'A key that no keyset has.',
      { id: testId(25) },
      'KEY_UNKNOWN',
      memory.signer('KZ-KGD.live.sign.9', kazakhstan.sign.live),
    ),
    made(
      'key-of-test-in-live',
      'A live message, signed with the test key.',
      { id: testId(26) },
      'KEY_UNKNOWN',
      signer(kazakhstan, 'test'),
    ),
    made(
      'key-of-another-use',
      'The key that is published for decryption.',
      { id: testId(27) },
      'KEY_UNKNOWN',
      memory.signer(kazakhstan.decrypt.live.kid, kazakhstan.decrypt.live),
    ),
    made(
      'back-dated-before-its-key',
      'Issued a millisecond before its key became valid.',
      { id: testId(28), issuedAt: '2026-10-31T23:59:59.999Z' },
      'KEY_UNKNOWN',
    ),
    made(
      'issued-after-its-key',
      'Issued in the moment its key expired.',
      { id: testId(29), issuedAt: '2027-01-30T00:00:00.000Z' },
      'KEY_UNKNOWN',
      kz,
      { context: { now: '2027-01-30T00:00:00.000Z' } },
    ),
    made(
      'id-with-other-content',
      'The id of a held message with other content.',
      { id: held.draft.id, seq: 8 },
      'ID_CONFLICT',
    ),
    made(
      'issued-too-far-ahead',
      'Issued 300.001 s ahead of the receiver’s clock.',
      { id: testId(30), issuedAt: '2026-11-22T03:05:00.001Z' },
      'NOT_YET',
    ),
    made(
      'expires-now',
      'Expires in the very millisecond of the receiver’s clock.',
      { id: testId(31), expiresAt: testNow.toISOString() },
      'EXPIRED',
    ),
    made(
      'agreement-unknown',
      'An agreement that is not carried out with this partner.',
      { id: testId(32), agreement: { id: 'OTHER-2020', conditions: '1.0' } },
      'AGREEMENT_UNKNOWN',
    ),
    made(
      'conditions-not-accepted',
      'A version of the Technical Conditions that is not accepted now.',
      { id: testId(33), agreement: { id: 'STOP-2021', conditions: '2.0' } },
      'CONDITIONS_NOT_ACCEPTED',
    ),
    made('type-unknown', 'A message type that is not registered.', { id: testId(34), type: 'UNHEARD' }, 'TYPE_UNKNOWN'),
    made(
      'type-version-unknown',
      'A version of a type that is not registered.',
      { id: testId(35), version: 2 },
      'TYPE_UNKNOWN',
    ),
    made(
      'retention-not-accepted',
      'A retention class that the agreement does not know.',
      { id: testId(36), use: { ...messageDraft().use, retention: 'FOREVER' } },
      'USE_NOT_ACCEPTED',
    ),
    sameWithParts('part-missing', 'The part is not in the frame.', {}),
    sameWithParts('part-superfluous', 'A part that the message does not name.', { body: wire, annex: wire }),
    sameWithParts('part-under-another-name', 'The right bytes under another name.', { annex: wire }),
    sameWithParts('part-of-another-length', 'A byte more than was signed.', {
      body: base64(Buffer.concat([body.salt, body.bytes, Buffer.from(' ')])),
    }),
    sameWithParts('part-with-another-salt', 'The right bytes with another salt.', {
      body: base64(Buffer.concat([Buffer.alloc(16), body.bytes])),
    }),
    sameWithParts('part-without-salt', 'Less than the 16 bytes of a salt.', { body: base64('{}') }),
    sameWithParts('part-with-padding', 'Base64url has no padding.', { body: `${wire}==` }),
    made(
      'sequence-taken',
      'A place in the lane that another message holds.',
      { id: testId(37), seq: 7 },
      'SEQUENCE_TAKEN',
    ),
    made(
      'sequence-taken-with-wrong-ref',
      'A `ref` to another message than the holder.',
      { id: testId(38), type: 'SKIP', seq: 7, ref: testId(99), parts: [] },
      'SEQUENCE_TAKEN',
    ),
    made(
      'every-late-defect',
      'Several defects at once: the earliest in the table is the answer.',
      {
        id: testId(39),
        expiresAt: testNow.toISOString(),
        agreement: { id: 'OTHER-2020', conditions: '9.9' },
        type: 'UNHEARD',
        seq: 7,
      },
      'EXPIRED',
    ),
  ])

  const other = makeMessage({ id: testId(2), type: 'SKIP', parts: [] })
  const changed = (name: string, shows: string, compact: string, outcome = 'MALFORMED'): Vector =>
    entry(name, shows, { message: compact, parts: message.entry.parts }, outcome)
  put('vectors/tampered/messages.json', [
    changed(
      'signature-flipped',
      'One bit of the signature.',
      swapPart(message.compact, 2, flipLast(signature)),
      'SIGNATURE_INVALID',
    ),
    changed(
      'signature-zero',
      'A signature of zeros.',
      swapPart(message.compact, 2, base64(Buffer.alloc(64))),
      'SIGNATURE_INVALID',
    ),
    changed(
      'signature-of-another-message',
      'The signature of another message of the same key.',
      swapPart(message.compact, 2, other.compact.split('.')[2] ?? ''),
      'SIGNATURE_INVALID',
    ),
    made(
      'signature-by-a-stranger',
      'Signed by another under the partner’s key id.',
      { id: testId(41) },
      'SIGNATURE_INVALID',
      memory.signer(kz.kid, stranger.sign.live),
    ),
    changed(
      'payload-changed',
      'Another type under the old signature.',
      swapPart(message.compact, 1, base64(text.replace('"seq":1', '"seq":2'))),
      'SIGNATURE_INVALID',
    ),
    changed(
      'payload-of-another-message',
      'The payload of another message.',
      swapPart(message.compact, 1, other.compact.split('.')[1] ?? ''),
      'SIGNATURE_INVALID',
    ),
    changed(
      'key-id-changed',
      'The key id of another published key of the issuer.',
      swapPart(message.compact, 0, base64(JSON.stringify({ ...head, kid: kazakhstan.sign.test.kid }))),
      'KEY_UNKNOWN',
    ),
    changed('trailing-newline', 'A newline behind it.', `${message.compact}\n`),
    changed('padding', 'Padding behind it.', `${message.compact}==`),
    changed(
      'last-character',
      'A last character with stray bits that lenient decoders pass over.',
      `${message.compact.slice(0, -1)}${nextCharacter(message.compact.at(-1) ?? 'A')}`,
    ),
    changed(
      'der-signature',
      'The signature in DER.',
      swapPart(message.compact, 2, base64(toDer(Buffer.from(signature, 'base64url')))),
    ),
    changed('truncated', 'The last ten characters lost.', message.compact.slice(0, -10)),
    changed('four-parts', 'A fourth part.', `${message.compact}.AA`),
    changed('two-parts', 'The signature lost.', message.compact.split('.').slice(0, 2).join('.')),
    entry(
      'part-bytes-changed',
      'One bit of the part.',
      { message: message.compact, parts: { body: flipLast(wire) } },
      'PART_INVALID',
    ),
  ])

  // Receipts.
  const about = {
    id: message.draft.id,
    digest: message.digest,
    iss: message.draft.iss,
    aud: message.draft.aud,
    mode: message.draft.mode,
  }
  const receipt = composeReceipt(message.draft, message.digest, testNow.toISOString(), cn)
  const receiptPayload = payloadOf(receipt)
  const asReceipt = (name: string, shows: string, compact: string, proves = false): Vector => ({
    name,
    shows,
    proves,
    message: about,
    receipt: compact,
  })
  const receiptWith = (name: string, shows: string, changes: object): Vector =>
    asReceipt(name, shows, forgeJws({ payload: { ...receiptPayload, ...changes } }, cn, 'dx1-receipt'))
  put('vectors/valid/receipts.json', [
    asReceipt('receipt', 'The receiver’s word that it holds the message.', receipt, true),
    asReceipt(
      'receipt-with-mirrored-signature',
      'The signature (r, n − s) is as good.',
      mirrorSignature(receipt),
      true,
    ),
  ])
  put('vectors/invalid/receipts.json', [
    receiptWith('for-another-id', 'About another message.', { id: testId(2) }),
    receiptWith('for-other-content', 'About another content.', { digest: held.digest }),
    receiptWith('for-somebody-else', 'To another sender.', { aud: stranger.id }),
    receiptWith('of-the-other-mode', 'For a test message.', { mode: 'test' }),
    receiptWith('with-another-outcome', 'A receipt says RECEIVED and nothing else.', { outcome: 'ACCEPTED' }),
    receiptWith('at-no-instant', 'Made on 30 February.', { at: '2026-02-30T00:00:00.000Z' }),
    receiptWith('before-its-key', 'Made before its key became valid.', { at: '2026-10-31T23:59:59.999Z' }),
    asReceipt(
      'forged-by-the-sender',
      'Signed by the sender of the message itself.',
      composeReceipt(message.draft, message.digest, testNow.toISOString(), kz),
    ),
    asReceipt(
      'signed-with-the-test-key',
      'Signed with the receiver’s test key.',
      composeReceipt(message.draft, message.digest, testNow.toISOString(), signer(china, 'test')),
    ),
    asReceipt(
      'signed-by-a-stranger',
      'Signed by a third administration.',
      composeReceipt(message.draft, message.digest, testNow.toISOString(), signer(stranger)),
    ),
    asReceipt('message-as-receipt', 'The message itself, sent back.', message.compact),
  ])
  put('vectors/tampered/receipts.json', [
    asReceipt(
      'signature-flipped',
      'One bit of the signature.',
      swapPart(receipt, 2, flipLast(receipt.split('.')[2] ?? '')),
    ),
    asReceipt(
      'payload-changed',
      'Another time under the old signature.',
      swapPart(receipt, 1, base64(JSON.stringify({ ...receiptPayload, at: '2026-11-22T04:00:00.000Z' }))),
    ),
    asReceipt('trailing-newline', 'A newline behind it.', `${receipt}\n`),
  ])

  // Keysets and partner cards.
  const live = keysetPayload(kazakhstan.id, 'live')
  const expected = { iss: kazakhstan.id, mode: 'live', root: kazakhstan.root.publicJwk }
  const asKeyset = (name: string, shows: string, compact: string, accepted = false): Vector => ({
    name,
    shows,
    accepted,
    expected,
    keyset: compact,
  })
  const firstKey = (changes: object): object => ({
    ...live,
    keys: live.keys.map((key, index) => (index === 0 ? { ...key, ...changes } : key)),
  })
  const { x, y } = kazakhstan.sign.live.publicJwk
  const liveKeyset = keyset(kazakhstan, live)
  put('vectors/valid/keysets.json', [asKeyset('keyset', 'The live keyset of an administration.', liveKeyset, true)])
  put('vectors/invalid/keysets.json', [
    asKeyset('by-another-root', 'Signed by another root.', keyset(kazakhstan, live, stranger.root)),
    asKeyset(
      'by-its-own-signing-key',
      'Signed by a key that it publishes.',
      keyset(kazakhstan, live, kazakhstan.sign.live),
    ),
    asKeyset(
      'of-another-administration',
      'For another administration.',
      keyset(kazakhstan, { ...live, iss: stranger.id }),
    ),
    asKeyset(
      'of-the-other-mode',
      'The test keyset in place of the live one.',
      keyset(kazakhstan, keysetPayload(kazakhstan.id, 'test')),
    ),
    asKeyset(
      'point-off-the-curve',
      'A key that is no point of the curve.',
      keyset(kazakhstan, firstKey({ jwk: { kty: 'EC', crv: 'P-256', x: y, y: x } })),
    ),
    asKeyset(
      'private-key-inside',
      'A private number where a public key belongs.',
      keyset(kazakhstan, firstKey({ jwk: { kty: 'EC', crv: 'P-256', x, y, d: x } })),
    ),
    asKeyset(
      'key-id-twice',
      'Two keys of one id.',
      keyset(kazakhstan, { ...live, keys: [...live.keys, { ...live.keys[0], use: 'decrypt' }] }),
    ),
    asKeyset('without-keys', 'No key.', keyset(kazakhstan, { ...live, keys: [] })),
  ])
  put('vectors/tampered/keysets.json', [
    asKeyset(
      'signature-flipped',
      'One bit of the signature.',
      swapPart(liveKeyset, 2, flipLast(liveKeyset.split('.')[2] ?? '')),
    ),
    asKeyset(
      'key-exchanged',
      'Another’s key under the old signature.',
      swapPart(liveKeyset, 1, base64(JSON.stringify(firstKey({ jwk: stranger.sign.live.publicJwk })))),
    ),
  ])
  const card = cards.get(kazakhstan.id)
  const strangersKeysets = cards.get(stranger.id)?.keysets
  const asCard = (name: string, shows: string, value: unknown, accepted = false): Vector => ({
    name,
    shows,
    accepted,
    card: value,
  })
  put('vectors/valid/partner-cards.json', [
    {
      ...asCard('card', 'What an administration hands over when the link is set up.', card, true),
      fingerprint: kazakhstan.fingerprint,
    },
  ])
  put('vectors/invalid/partner-cards.json', [
    asCard('keysets-of-another', 'Another’s keysets under this root.', { ...card, keysets: strangersKeysets }),
    asCard('root-of-another', 'Another’s root over these keysets.', { ...card, root: stranger.root.publicJwk }),
    asCard('test-keyset-for-live', 'The test keyset in both places.', {
      ...card,
      keysets: { test: card?.keysets.test, live: card?.keysets.test },
    }),
    asCard('administration-of-another', 'The keysets name another administration.', {
      ...card,
      administration: china.id,
    }),
    asCard('plain-http', 'An address without TLS.', { ...card, endpoint: 'http://kz-kgd.example' }),
    asCard('member-unknown', 'A member that the schema does not know.', { ...card, contact: 'desk@kz-kgd.example' }),
  ])

  // Frames.
  const entries = [message.entry, makeMessage({ id: testId(42), type: 'SKIP', seq: 10, parts: [] }).entry]
  const plain = writeFrame(entries)
  const frame = await memory.seal(plain, china.decrypt.live)
  const asFrame = (name: string, shows: string, compact: string, opens = false): Vector => ({
    name,
    shows,
    outcome: opens ? 'OK' : 'FRAME_UNREADABLE',
    recipient: china.decrypt.live.kid,
    frame: compact,
    ...(opens && { plain: plain.toString() }),
  })
  const jweHeader = JSON.parse(Buffer.from(frame.split('.')[0] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  > & { epk: Record<string, unknown> }
  const reheaded = (name: string, shows: string, header: unknown): Vector =>
    asFrame(name, shows, swapPart(frame, 0, base64(typeof header === 'string' ? header : JSON.stringify(header))))
  const asPlain = (name: string, shows: string, value: string): Vector => ({
    name,
    shows,
    outcome: 'FRAME_UNREADABLE',
    plain: value,
  })
  const one = JSON.stringify(entries[1])
  const forKazakhstan = await memory.seal(plain, kazakhstan.decrypt.live)
  put('vectors/valid/frames.json', [asFrame('frame', 'Two messages for China.', frame, true)])
  put('vectors/invalid/frames.json', [
    reheaded('zip', 'Compression.', { ...jweHeader, zip: 'DEF' }),
    reheaded('pbes2', 'A password, with two milliard rounds.', {
      ...jweHeader,
      alg: 'PBES2-HS512+A256KW',
      p2c: 2_000_000_000,
      p2s: 'AAAAAAAAAAA',
    }),
    reheaded('dir', 'A direct key.', { ...jweHeader, alg: 'dir' }),
    reheaded('rsa1_5', 'RSA with PKCS #1 v1.5.', { ...jweHeader, alg: 'RSA1_5' }),
    reheaded('other-content-encryption', 'Another content encryption.', { ...jweHeader, enc: 'A128GCM' }),
    reheaded('header-member', 'A header member besides the five.', { ...jweHeader, cty: 'JWT' }),
    reheaded('typ', 'Another kind.', { ...jweHeader, typ: 'JWE' }),
    reheaded('epk-zero', 'An all-zero ephemeral key.', {
      ...jweHeader,
      epk: { ...jweHeader.epk, x: 'A'.repeat(43), y: 'A'.repeat(43) },
    }),
    reheaded('epk-off-the-curve', 'An ephemeral key that is no point of the curve.', {
      ...jweHeader,
      epk: { ...jweHeader.epk, x: jweHeader.epk['y'], y: jweHeader.epk['x'] },
    }),
    reheaded('epk-private', 'An ephemeral key with its private number.', {
      ...jweHeader,
      epk: { ...jweHeader.epk, d: jweHeader.epk['x'] },
    }),
    reheaded('key-unknown', 'A key that the receiver does not hold.', { ...jweHeader, kid: 'CN-GACC.live.decrypt.9' }),
    asFrame('for-another', 'Sealed for another administration.', forKazakhstan),
    asPlain('plain-not-json', 'A plaintext that is no JSON.', 'messages'),
    asPlain('plain-no-messages', 'A frame has at least one message.', '{"messages":[]}'),
    asPlain('plain-member', 'A member besides `messages`.', `{"messages":[${one}],"from":"KZ-KGD"}`),
    asPlain('plain-duplicate-member', 'Two members of one name.', `{"messages":[${one}],"messages":[${one}]}`),
    asPlain(
      'plain-entry-member',
      'An entry with another member.',
      `{"messages":[{"message":"m","parts":{},"priority":9}]}`,
    ),
    asPlain(
      'plain-part-named-proto',
      'A part named __proto__.',
      '{"messages":[{"message":"m","parts":{"__proto__":"e30"}}]}',
    ),
    asPlain('plain-part-not-text', 'A part that is no text.', '{"messages":[{"message":"m","parts":{"body":1}}]}'),
  ])
  const [, wrapped = '', iv = '', ciphertext = '', tag = ''] = frame.split('.')
  const tagBytes = Buffer.from(tag, 'base64url')
  const longer = base64(Buffer.concat([Buffer.from(ciphertext, 'base64url'), tagBytes.subarray(0, 4)]))
  const swappedHeader = JSON.parse(Buffer.from(forKazakhstan.split('.')[0] ?? '', 'base64url').toString()) as object
  put('vectors/tampered/frames.json', [
    asFrame('tag-flipped', 'One bit of the tag.', swapPart(frame, 4, flipLast(tag))),
    asFrame('ciphertext-flipped', 'One bit of the ciphertext.', swapPart(frame, 3, flipLast(ciphertext))),
    asFrame('vector-flipped', 'One bit of the initialisation vector.', swapPart(frame, 2, flipLast(iv))),
    asFrame('key-flipped', 'One bit of the wrapped key.', swapPart(frame, 1, flipLast(wrapped))),
    asFrame('tag-truncated', 'A tag of eight bytes.', swapPart(frame, 4, base64(tagBytes.subarray(0, 8)))),
    asFrame(
      'tag-moved',
      'The tag’s first bytes at the end of the ciphertext.',
      swapPart(swapPart(frame, 3, longer), 4, base64(tagBytes.subarray(4))),
    ),
    asFrame('truncated', 'Half of it.', frame.slice(0, frame.length / 2)),
    asFrame(
      'recipient-swapped',
      'Another’s frame with our key id in its header.',
      swapPart(forKazakhstan, 0, base64(JSON.stringify({ ...swappedHeader, kid: china.decrypt.live.kid }))),
    ),
    asFrame('trailing-newline', 'A newline behind it.', `${frame}\n`),
  ])

  // Requests and answers.
  const requestPayload: RequestPayload = {
    iss: kazakhstan.id,
    aud: china.id,
    mode: 'live',
    iat: nowSeconds,
    jti: '019aa9a5-0000-4000-8000-000000000001',
    operation: 'frames',
    contentDigest: sha256(frame),
  }
  const request = composeRequest(requestPayload, kz)
  const asRequest = (name: string, shows: string, compact: string, outcome: string): Vector => ({
    name,
    shows,
    outcome,
    expected: { me: china.id, partner: kazakhstan.id, contentDigest: sha256(frame), now: testNow.toISOString() },
    request: compact,
  })
  const requestWith = (name: string, shows: string, changes: object, outcome: string, by: Signer = kz): Vector =>
    asRequest(name, shows, forgeJws({ payload: { ...requestPayload, ...changes } }, by, 'dx1-request'), outcome)
  put('vectors/valid/requests.json', [
    asRequest('request', 'A request for the frame of valid/frames.json.', request.compact, 'OK'),
    requestWith('request-60-s-old', 'The oldest that is taken.', { iat: nowSeconds - 60 }, 'OK'),
    requestWith('request-60-s-ahead', 'The furthest ahead that is taken.', { iat: nowSeconds + 60 }, 'OK'),
  ])
  put('vectors/invalid/requests.json', [
    requestWith('request-61-s-old', 'A second too old.', { iat: nowSeconds - 61 }, 'REQUEST_STALE'),
    requestWith('request-61-s-ahead', 'A second too far ahead.', { iat: nowSeconds + 61 }, 'REQUEST_STALE'),
    requestWith('issuer', 'Another issuer than the peer.', { iss: stranger.id }, 'REQUEST_INVALID'),
    requestWith('audience', 'For another administration.', { aud: stranger.id }, 'REQUEST_INVALID'),
    requestWith('content', 'For another frame.', { contentDigest: sha256(forKazakhstan) }, 'REQUEST_INVALID'),
    requestWith(
      'operation',
      'An operation that this version does not have.',
      { operation: 'statements' },
      'REQUEST_INVALID',
    ),
    requestWith('jti', 'A request id that is too short.', { jti: 'short' }, 'REQUEST_INVALID'),
    requestWith('mode', 'A test request, signed with the live key.', { mode: 'test' }, 'REQUEST_INVALID'),
    requestWith('signed-by-a-stranger', 'Signed by another.', {}, 'REQUEST_INVALID', signer(stranger)),
    asRequest('message-as-request', 'A message in place of a request.', message.compact, 'REQUEST_INVALID'),
  ])
  put('vectors/tampered/requests.json', [
    asRequest(
      'signature-flipped',
      'One bit of the signature.',
      swapPart(request.compact, 2, flipLast(request.compact.split('.')[2] ?? '')),
      'REQUEST_INVALID',
    ),
    asRequest(
      'time-moved',
      'Another time under the old signature.',
      swapPart(request.compact, 1, base64(JSON.stringify({ ...requestPayload, iat: nowSeconds + 1 }))),
      'REQUEST_INVALID',
    ),
  ])
  const secondReceipt = composeReceipt(
    { ...message.draft, id: testId(42) },
    digestIn(entries[1]),
    testNow.toISOString(),
    cn,
  )
  const answerPayload = {
    iss: china.id,
    aud: kazakhstan.id,
    mode: 'live' as const,
    iat: nowSeconds,
    requestDigest: request.digest,
    outcome: 'OK',
    results: [
      { index: 0, outcome: 'RECEIVED', id: message.draft.id, digest: message.digest, receipt },
      { index: 1, outcome: 'RECEIVED', id: testId(42), digest: digestIn(entries[1]), receipt: secondReceipt },
    ],
  }
  const answer = composeAnswer(answerPayload, cn)
  const asAnswer = (name: string, shows: string, compact: string, counts = false): Vector => ({
    name,
    shows,
    counts,
    expected: { me: kazakhstan.id, partner: china.id, mode: 'live', requestDigest: request.digest },
    answer: compact,
  })
  const answerWith = (name: string, shows: string, changes: object, by: Signer = cn, counts = false): Vector =>
    asAnswer(name, shows, forgeJws({ payload: { ...answerPayload, ...changes } }, by, 'dx1-answer'), counts)
  put('vectors/valid/answers.json', [
    asAnswer('answer', 'The answer to the request of valid/requests.json.', answer, true),
    answerWith(
      'answer-with-refusals',
      'Refusals quote id and digest where they could be read.',
      {
        results: [
          { index: 0, outcome: 'NOT_YET', id: message.draft.id, digest: message.digest },
          { index: 1, outcome: 'MALFORMED', digest: digestIn(entries[1]) },
        ],
      },
      cn,
      true,
    ),
    answerWith('request-refused', 'The whole request was refused.', { outcome: 'LINK_CLOSED', results: [] }, cn, true),
    answerWith(
      'wait',
      'The receiver asks to be left alone for a minute.',
      { outcome: 'LINK_CLOSED', results: [], retryAfterSeconds: 60 },
      cn,
      true,
    ),
  ])
  put('vectors/invalid/answers.json', [
    answerWith('to-another-request', 'An answer to another request.', { requestDigest: sha256('another request') }),
    answerWith('to-somebody-else', 'An answer to another administration.', { aud: stranger.id }),
    answerWith('of-the-other-mode', 'An answer in test.', { mode: 'test' }),
    answerWith('place-500', 'A place that no frame has.', { results: [{ index: 500, outcome: 'BUSY' }] }),
    answerWith('signed-by-a-stranger', 'Signed by another.', {}, signer(stranger)),
    asAnswer('html', 'What a gateway says.', '<html><h1>502 Bad Gateway</h1></html>'),
  ])
  put('vectors/tampered/answers.json', [
    asAnswer(
      'signature-flipped',
      'One bit of the signature.',
      swapPart(answer, 2, flipLast(answer.split('.')[2] ?? '')),
    ),
    asAnswer(
      'outcome-changed',
      'Another outcome under the old signature.',
      swapPart(answer, 1, base64(JSON.stringify({ ...answerPayload, outcome: 'LINK_CLOSED' }))),
    ),
    asAnswer('truncated', 'Half of it.', answer.slice(0, answer.length / 2)),
  ])

  // One message from its first byte to its receipt.
  const steps = (compact: string): object => {
    const [header = '', payload = '', signed = ''] = compact.split('.')
    return {
      header: Buffer.from(header, 'base64url').toString(),
      payload: Buffer.from(payload, 'base64url').toString(),
      signingInput: `${header}.${payload}`,
      digest: sha256(`${header}.${payload}`),
      signature: signed,
      compact,
    }
  }
  const { plaintext } = await compactDecrypt(frame, china.decrypt.live.privateKey)
  put('vectors/valid/worked-example.json', {
    about:
      'One frame from KZ-KGD to CN-GACC, step by step. Keys stand in ../keys.json; only the signatures and the keys inside the frame are random.',
    part: {
      name: body.name,
      bytes: body.bytes.toString(),
      length: body.bytes.length,
      saltHex: body.salt.toString('hex'),
      digestInputHex: Buffer.concat([body.salt, body.bytes]).toString('hex'),
      digest: digestPart(body.salt, body.bytes),
      wire,
    },
    message: steps(message.compact),
    frame: {
      plain: Buffer.from(plaintext).toString(),
      header: JSON.stringify(jweHeader),
      compact: frame,
      contentDigest: sha256(frame),
    },
    request: steps(request.compact),
    post: {
      path: '/exchange/v1/frames',
      contentType: 'application/json',
      body: JSON.stringify({ request: request.compact, frame }),
    },
    receipt: steps(receipt),
    answer: { contentType: 'application/jose', ...steps(answer) },
  })

  const listed = [...files.keys()].filter((file) => /^vectors\/(?:valid|invalid|tampered)\//.test(file)).sort()
  put('vectors/index.json', {
    about:
      'Every vector by file. `valid` is taken, `invalid` was written wrongly by one who holds the keys, `tampered` was changed by one who does not.',
    files: listed.map((file) => {
      const content = JSON.parse(files.get(file) ?? '') as Vector[] | object
      return {
        file: file.slice('vectors/'.length),
        vectors: Array.isArray(content) ? content.map(({ name }) => name) : ['worked-example'],
      }
    }),
  })
  return files
}

const digestIn = (entry: FrameEntry | undefined): string =>
  sha256(entry?.message.slice(0, entry.message.lastIndexOf('.')) ?? '')

/** The next character of the alphabet: the same leading bits, another of those that decoding throws away. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) + 1] ?? 'A'
}

function toDer(signature: Buffer): Buffer {
  const integer = (bytes: Buffer): Buffer => {
    const first = bytes.findIndex((byte) => byte !== 0)
    const trimmed = bytes.subarray(Math.max(first, 0))
    const value = (trimmed[0] ?? 0) > 127 ? Buffer.concat([Buffer.alloc(1), trimmed]) : trimmed
    return Buffer.concat([Buffer.from([2, value.length]), value])
  }
  const content = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))])
  return Buffer.concat([Buffer.from([0x30, content.length]), content])
}

/** Every file of the contract by path with forward slashes. */
export async function readExchangeContract(): Promise<ReadonlyMap<string, string>> {
  const found = await readdir(ROOT, { recursive: true, withFileTypes: true }).catch(() => [])
  const names = found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
  const texts = await Promise.all(names.map((name) => readFile(name, 'utf8')))
  return new Map(names.map((name, index) => [relative(ROOT, name).split(sep).join('/'), texts[index] ?? '']))
}

if (process.argv[1] === import.meta.filename) {
  const existing = await readExchangeContract()
  const made = await makeExchangeContract(existing)
  const index = makePlainPackage(new Map([...existing, ...made])).generated
  for (const [file, text] of [...made, ...index]) {
    if (existing.get(file) === text) continue
    await mkdir(dirname(join(ROOT, file)), { recursive: true })
    await writeFile(join(ROOT, file), text)
    process.stdout.write(`written: ${file}\n`)
  }
}
