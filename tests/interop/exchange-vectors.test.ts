/**
 * The published vectors against this program, and the worked example against nothing but the standards: a partner that
 * reads `contracts/exchange/1.0` and this program must say the same.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { compactDecrypt } from 'jose'
import { Compile } from 'typebox/compile'
import { describe, expect, test } from 'vitest'
import {
  codeOf,
  decideFrame,
  exchangeCodes,
  exchangeSchemas,
  type FrameEntry,
  frameLimits,
  type InboundContext,
  inspectEntry,
  issuedAheadSecondsMax,
  jwsLengthMax,
  type Keyring,
  type Mode,
  openAnswer,
  openFrame,
  openKeyset,
  openPartnerCard,
  openRequest,
  outcomes,
  type PartnerCard,
  type PublicKeyJwk,
  placeOf,
  provesReceipt,
  publicKeyOf,
  readFrame,
  requestWindowSeconds,
} from '../../src/exchange/index.ts'
import type { JsonValue } from '../../src/kernel/index.ts'
import { makePlainPackage } from '../../tools/contracts/plain-package.ts'
import { makeExchangeContract, readExchangeContract } from '../../tools/exchange-vectors.ts'

const folder = new URL('../../contracts/exchange/1.0/', import.meta.url)
const read = <Content>(file: string): Content => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Content

interface Vector {
  readonly name: string
  readonly shows: string
}
interface PrivateKey {
  readonly kid: string
  readonly jwk: { readonly [member: string]: string }
}
interface PublishedKeys {
  readonly parties: ReadonlyArray<{
    readonly administration: string
    readonly rootFingerprint: string
    readonly tlsPin: string
    readonly card: PartnerCard
    readonly privateKeys: {
      readonly decrypt: Readonly<Record<Mode, PrivateKey>>
      readonly tls: { readonly [member: string]: string }
    }
  }>
}

const kinds = ['valid', 'invalid', 'tampered'] as const
const vectorsOf = <Kind extends Vector>(name: string): ReadonlyArray<[string, Kind]> =>
  kinds.flatMap((kind) => {
    const file = `${kind}/${name}.json`
    if (!listed.has(file)) return []
    return read<Kind[]>(`vectors/${file}`).map((vector): [string, Kind] => [`${kind}: ${vector.name}`, vector])
  })
const index = read<{ files: ReadonlyArray<{ file: string; vectors: readonly string[] }> }>('vectors/index.json')
const listed = new Set(index.files.map(({ file }) => file))

const keys = read<PublishedKeys>('vectors/keys.json')
/** The rings of a party, opened from its published card as a partner would. */
function partyOf(id: string) {
  const party = keys.parties.find(({ administration }) => administration === id)
  const opened = party && openPartnerCard(party.card as unknown as JsonValue)
  if (!opened?.ok) throw new Error(`the card of ${id} is not sound`)
  const { keyrings, fingerprint } = opened.value
  const decrypters = Object.values(party?.privateKeys.decrypt ?? {}).map(({ kid, jwk }): [string, KeyObject] => [
    kid,
    createPrivateKey({ key: jwk, format: 'jwk' }),
  ])
  return { ...party, keyrings, fingerprint, decrypters: new Map(decrypters) }
}
const parties = new Map(keys.parties.map(({ administration }) => [administration, partyOf(administration)]))
const keyringOf = (id: string, mode: Mode): Keyring => {
  const keyring = parties.get(id)?.keyrings[mode]
  if (!keyring) throw new Error(`${id} has no ${mode} keyring`)
  return keyring
}

describe('the contract is what this program does', () => {
  test('nothing in it would be made otherwise now', async () => {
    const existing = await readExchangeContract()
    const made = await makeExchangeContract(existing)
    expect([...made].filter(([file, text]) => existing.get(file) !== text).map(([file]) => file)).toEqual([])
  })

  test('its index has the digest of every file', async () => {
    const existing = await readExchangeContract()
    const { generated, problems } = makePlainPackage(existing)
    expect(problems).toEqual([])
    expect(existing.get('index.json')).toBe(generated.get('index.json'))
  })

  test('every file of vectors is listed with its vectors, each under a name of its own', async () => {
    const files = [...(await readExchangeContract()).keys()].filter((file) =>
      /^vectors\/(?:valid|invalid|tampered)\//.test(file),
    )
    expect(files.map((file) => file.slice('vectors/'.length)).sort()).toEqual([...listed].sort())
    for (const { vectors } of index.files) expect(new Set(vectors).size).toBe(vectors.length)
  })

  test('the table of outcomes is the program’s', () => {
    const table = read<{
      outcomes: ReadonlyArray<{ rank: number; code: string; final: boolean; scope: string; means: string }>
    }>('outcomes.json')
    expect(table.outcomes.map(({ code, final, scope }) => ({ code, final, scope }))).toEqual(outcomes)
    const means = table.outcomes.filter(({ code }) => code !== 'RECEIVED').map((row) => row.means)
    const codes = outcomes.map(({ code }) => code).filter((code) => code !== 'RECEIVED')
    expect(means).toEqual(codes.map((code) => exchangeCodes[codeOf(code) as keyof typeof exchangeCodes].means))
  })

  test('its text has the same outcomes in the same order, and the same limits', async () => {
    const text = (await readExchangeContract()).get('README.md') ?? ''
    const section = text.slice(text.indexOf('## 6.'), text.indexOf('## 7.'))
    const rows = [...section.matchAll(/^\| \d+ \|[^|]+\| ([A-Z_]+)/gm)].map(([, code]) => code)
    const told = outcomes.filter(({ scope, code }) => scope === 'message' && code !== 'BUSY').map(({ code }) => code)
    expect(rows).toEqual([...told, 'RECEIVED'])
    expect(outcomes.filter(({ code }) => !text.includes(code))).toEqual([])
    const kib = (bytes: number): string => (bytes < 2 ** 20 ? `${bytes / 2 ** 10} KiB` : `${bytes / 2 ** 20} MiB`)
    const { 'dx1-message': message, 'dx1-receipt': receipt, 'dx1-request': request } = jwsLengthMax
    const { 'dx1-answer': answer, 'dx1-keyset': keyset } = jwsLengthMax
    expect(text).toContain(`| ${[message, receipt, request, answer, keyset].map(kib).join(', ')} |`)
    expect(text).toContain(`| body of a request | ${kib(frameLimits.wireBytesMax)} |`)
    expect(text).toContain(`| ${kib(frameLimits.plainBytesMax)}, ${frameLimits.messagesMax} |`)
    expect(text).toContain(`| ±${requestWindowSeconds} s, ${issuedAheadSecondsMax} s |`)
  })

  test('some message vector shows every outcome a message can be told, but BUSY', () => {
    const shown = new Set(vectorsOf<Vector & { outcome: string }>('messages').map(([, { outcome }]) => outcome))
    const told = outcomes.filter(({ scope, code }) => scope === 'message' && code !== 'BUSY').map(({ code }) => code)
    expect([...shown].sort()).toEqual(told.sort())
  })

  test('cards name roots and TLS keys by their published digests', () => {
    for (const { administration, rootFingerprint, tlsPin, privateKeys } of keys.parties) {
      const party = parties.get(administration)
      expect(party?.fingerprint).toBe(rootFingerprint)
      expect(party?.keyrings.live.tlsPins).toEqual([tlsPin])
      const tls = createPublicKey(createPrivateKey({ key: privateKeys.tls, format: 'jwk' }))
      const spki = tls.export({ type: 'spki', format: 'der' })
      expect(createHash('sha256').update(spki).digest('base64url')).toBe(tlsPin)
    }
  })
})

interface MessageContext {
  readonly me: string
  readonly partner: string
  readonly mode: Mode
  readonly now: string
  readonly accepted: Readonly<Record<string, readonly string[]>>
  readonly types: readonly string[]
  readonly retentionClasses: readonly string[]
  readonly held: ReadonlyArray<{
    id: string
    digest: string
    receipt: string
    lane: string
    epoch: number
    seq: number
  }>
}
type MessageVector = Vector & {
  outcome: string
  entry: FrameEntry
  receipt?: string
  context?: Partial<MessageContext>
}

describe('messages', () => {
  const shared = read<MessageContext>('vectors/context.json')

  test.each(vectorsOf<MessageVector>('messages'))('%s', (_, vector) => {
    const known = { ...shared, ...vector.context }
    const context: InboundContext = {
      me: known.me,
      partner: known.partner,
      mode: known.mode,
      now: new Date(known.now),
      keyring: keyringOf(known.partner, known.mode),
      accepted: new Map(Object.entries(known.accepted).map(([id, versions]) => [id, new Set(versions)])),
      types: new Set(known.types),
      retentionClasses: new Set(known.retentionClasses),
    }
    const stored = new Map(known.held.map((held) => [held.id, held]))
    const holders = new Map(known.held.map((held) => [placeOf(held), held.id]))
    const [decision] = decideFrame([vector.entry], [inspectEntry(vector.entry, context)], stored, holders, context)
    expect(decision?.kind === 'refused' ? decision.refusal.outcome : 'RECEIVED').toBe(vector.outcome)
    expect(decision?.kind === 'duplicate' ? decision.receipt : undefined).toBe(vector.receipt)
  })
})

type ReceiptVector = Vector & { proves: boolean; message: Parameters<typeof provesReceipt>[1]; receipt: string }
describe('receipts', () => {
  test.each(vectorsOf<ReceiptVector>('receipts'))('%s', (_, { receipt, message, proves }) => {
    expect(provesReceipt(receipt, message, keyringOf(message.aud, message.mode)) !== undefined).toBe(proves)
  })
})

type KeysetVector = Vector & {
  accepted: boolean
  keyset: string
  expected: { iss: string; mode: Mode; root: PublicKeyJwk }
}
describe('keysets', () => {
  test.each(vectorsOf<KeysetVector>('keysets'))('%s', (_, { keyset, accepted, expected }) => {
    expect(openKeyset(keyset, { ...expected, root: publicKeyOf(expected.root) }).ok).toBe(accepted)
  })
})

type CardVector = Vector & { accepted: boolean; card: JsonValue; fingerprint?: string }
describe('partner cards', () => {
  test.each(vectorsOf<CardVector>('partner-cards'))('%s', (_, { card, accepted, fingerprint }) => {
    const opened = openPartnerCard(card)
    expect(opened.ok).toBe(accepted)
    expect(opened.ok ? opened.value.fingerprint : undefined).toBe(fingerprint)
  })
})

type FrameVector = Vector & { outcome: string; frame?: string; plain?: string; recipient?: string }
describe('frames', () => {
  test.each(vectorsOf<FrameVector>('frames'))('%s', async (_, { frame, plain, recipient, outcome }) => {
    const holder = [...parties.values()].find(({ decrypters }) => decrypters.has(recipient ?? ''))
    const opened = frame === undefined ? undefined : await openFrame(frame, holder?.decrypters ?? new Map())
    const content = opened ? (opened.ok ? readFrame(opened.value) : opened) : readFrame(Buffer.from(plain ?? ''))
    expect(content.ok ? 'OK' : codeOf('FRAME_UNREADABLE') === content.refusal.code && 'FRAME_UNREADABLE').toBe(outcome)
    if (opened?.ok) expect(Buffer.from(opened.value).toString()).toBe(plain)
  })
})

type RequestVector = Vector & {
  outcome: string
  request: string
  expected: { me: string; partner: string; contentDigest: string; now: string }
}
describe('requests', () => {
  test.each(vectorsOf<RequestVector>('requests'))('%s', (_, { request, expected, outcome }) => {
    const keyring = (mode: Mode) => keyringOf(expected.partner, mode)
    const opened = openRequest(request, { ...expected, now: new Date(expected.now), keyring })
    const told = opened.ok
      ? 'OK'
      : opened.refusal.code === 'exchange/request-stale'
        ? 'REQUEST_STALE'
        : 'REQUEST_INVALID'
    expect(told).toBe(outcome)
  })
})

type AnswerVector = Vector & {
  counts: boolean
  answer: string
  expected: { me: string; partner: string; mode: Mode; requestDigest: string }
}
describe('answers', () => {
  test.each(vectorsOf<AnswerVector>('answers'))('%s', (_, { answer, expected, counts }) => {
    const keyring = keyringOf(expected.partner, expected.mode)
    expect(openAnswer(answer, { ...expected, keyring }) !== undefined).toBe(counts)
  })
})

interface Signed {
  readonly header: string
  readonly payload: string
  readonly signingInput: string
  readonly digest: string
  readonly signature: string
  readonly compact: string
}
interface WorkedExample {
  readonly part: {
    name: string
    bytes: string
    length: number
    saltHex: string
    digestInputHex: string
    digest: string
    wire: string
  }
  readonly message: Signed
  readonly frame: { plain: string; header: string; compact: string; contentDigest: string }
  readonly request: Signed
  readonly post: { body: string }
  readonly receipt: Signed
  readonly answer: Signed
}

describe('the worked example, with nothing but the standards', () => {
  const example = read<WorkedExample>('vectors/valid/worked-example.json')
  const sha = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('base64url')
  const published = (id: string, use: string): KeyObject => {
    const card = keys.parties.find(({ administration }) => administration === id)?.card
    const payload = JSON.parse(Buffer.from(card?.keysets.live.split('.')[1] ?? '', 'base64url').toString()) as {
      keys: ReadonlyArray<{ use: string; jwk: { readonly [member: string]: string } }>
    }
    return createPublicKey({ key: payload.keys.find((key) => key.use === use)?.jwk ?? {}, format: 'jwk' })
  }
  const payloadOf = (signed: Signed): Record<string, unknown> => JSON.parse(signed.payload) as Record<string, unknown>

  test.each([
    ['message', example.message, 'KZ-KGD'],
    ['request', example.request, 'KZ-KGD'],
    ['receipt', example.receipt, 'CN-GACC'],
    ['answer', example.answer, 'CN-GACC'],
  ] as const)('the %s is what its parts say, and is signed', (kind, signed, by) => {
    const input = `${Buffer.from(signed.header).toString('base64url')}.${Buffer.from(signed.payload).toString('base64url')}`
    expect(signed.signingInput).toBe(input)
    expect(signed.compact).toBe(`${input}.${signed.signature}`)
    expect(signed.digest).toBe(sha(input))
    expect(JSON.parse(signed.header)).toEqual({ alg: 'ES256', kid: `${by}.live.sign.1`, typ: `dx1-${kind}` })
    const key = { key: published(by, 'sign'), dsaEncoding: 'ieee-p1363' } as const
    expect(verify('sha256', Buffer.from(input), key, Buffer.from(signed.signature, 'base64url'))).toBe(true)
  })

  test('the part’s digest is taken over salt and bytes, and the message names it', () => {
    const { bytes, saltHex, digestInputHex, digest, wire, length, name } = example.part
    expect(digestInputHex).toBe(saltHex + Buffer.from(bytes).toString('hex'))
    expect(digest).toBe(sha(Buffer.from(digestInputHex, 'hex')))
    expect(wire).toBe(Buffer.from(digestInputHex, 'hex').toString('base64url'))
    expect(payloadOf(example.message)['parts']).toEqual([{ name, mediaType: 'application/json', length, digest }])
  })

  test('the frame opens with the recipient’s key and holds the message and its part', async () => {
    const party = keys.parties.find(({ administration }) => administration === 'CN-GACC')
    const key = createPrivateKey({ key: party?.privateKeys.decrypt.live.jwk ?? {}, format: 'jwk' })
    const { plaintext, protectedHeader } = await compactDecrypt(example.frame.compact, key)
    expect(Buffer.from(plaintext).toString()).toBe(example.frame.plain)
    expect(protectedHeader).toEqual(JSON.parse(example.frame.header))
    const { messages } = JSON.parse(example.frame.plain) as { messages: FrameEntry[] }
    expect(messages[0]).toEqual({ message: example.message.compact, parts: { body: example.part.wire } })
  })

  test('request, receipt and answer name what they are about', () => {
    expect(sha(example.frame.compact)).toBe(example.frame.contentDigest)
    expect(payloadOf(example.request)['contentDigest']).toBe(example.frame.contentDigest)
    expect(JSON.parse(example.post.body)).toEqual({ request: example.request.compact, frame: example.frame.compact })
    expect(payloadOf(example.receipt)).toMatchObject({
      id: payloadOf(example.message)['id'],
      digest: example.message.digest,
    })
    expect(payloadOf(example.answer)['requestDigest']).toBe(example.request.digest)
    expect((payloadOf(example.answer)['results'] as Array<{ receipt: string }>)[0]?.receipt).toBe(
      example.receipt.compact,
    )
  })

  test('the contract’s text quotes it rightly', () => {
    const text = readFileSync(new URL('README.md', folder), 'utf8')
    const { part, message } = example
    const quoted = [
      part.saltHex,
      part.digest,
      part.bytes,
      message.header,
      message.digest,
      part.wire.slice(0, 24),
      message.signingInput.slice(0, 16),
    ]
    expect(quoted.filter((value) => !text.includes(value))).toEqual([])
  })

  test('every object of it has the published shape', () => {
    const schemas = exchangeSchemas()
    const check = (name: string, value: unknown): boolean =>
      Compile(schemas.get(`${name}.schema.json`) ?? { not: {} }).Check(value)
    expect(check('message', payloadOf(example.message))).toBe(true)
    expect(check('request', payloadOf(example.request))).toBe(true)
    expect(check('receipt', payloadOf(example.receipt))).toBe(true)
    expect(check('answer', payloadOf(example.answer))).toBe(true)
    expect(check('frame', JSON.parse(example.frame.plain))).toBe(true)
    expect(check('frames-post', JSON.parse(example.post.body))).toBe(true)
    for (const { card } of keys.parties) expect(check('partner-card', card)).toBe(true)
    expect(check('message', { ...payloadOf(example.message), extra: 1 })).toBe(false)
  })
})
