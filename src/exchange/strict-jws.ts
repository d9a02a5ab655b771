import { createHash, sign as cryptoSign, verify as cryptoVerify, type KeyObject } from 'node:crypto'
import { accept, type Decision, type JsonValue, readJson, refuse } from '../kernel/index.ts'

/** The kinds of signed objects of DX1: each its own `typ`, so that none can stand for another. */
export type SignedKind = 'dx1-message' | 'dx1-receipt' | 'dx1-request' | 'dx1-answer' | 'dx1-keyset'

/** A compact JWS that was read strictly. Nothing in it is to be believed before `verifyJws`. */
export interface ReadJws {
  readonly kid: string
  readonly payload: { readonly [name: string]: JsonValue }
  readonly signingInput: string
  readonly signature: Buffer
  /** SHA-256 over the signing input, base64url. It says which content this is, whoever signed and however. */
  readonly digest: string
  readonly compact: string
}

export type JwsRefusal = { readonly code: 'exchange/malformed'; readonly reason: string }

/** What signs: a key id and a function that gives the 64 bytes r ‖ s of ES256 over the data. */
export interface Signer {
  readonly kid: string
  sign(data: Uint8Array): Buffer
}

export const jwsLengthMax: Readonly<Record<SignedKind, number>> = {
  'dx1-message': 24 * 1024,
  'dx1-receipt': 2 * 1024,
  'dx1-request': 4 * 1024,
  'dx1-answer': 4 * 1024 * 1024,
  'dx1-keyset': 128 * 1024,
}

const KID = /^[A-Za-z0-9._-]{1,100}$/
const BASE64URL = /^[A-Za-z0-9_-]+$/
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes base64url that re-encodes to itself, or gives undefined: no padding, no stray bits, no other alphabet. */
export function decodeBase64Url(text: string): Buffer | undefined {
  if (text.length > 0 && !BASE64URL.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('base64url')
}

function readObject(part: string): { [name: string]: JsonValue } | undefined {
  const bytes = decodeBase64Url(part)
  if (!bytes || bytes.length === 0) return undefined
  let text: string
  try {
    text = strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
  const read = readJson(text, { lengthMax: text.length, depthMax: 6, otherNumbers: 'refuse' })
  if (!read.ok || read.value === null || typeof read.value !== 'object' || Array.isArray(read.value)) return undefined
  return read.value as { [name: string]: JsonValue }
}

/**
 * Reads a compact JWS strictly, before any library or key sees it.
 *
 * Why: a lenient JWS is malleable. Here are exactly two dots, base64url that re-encodes to itself, a header that is
 * exactly {alg: ES256, kid, typ}, JSON without duplicate keys or lossy numbers, and a size cap.
 * @param typ the one kind that is expected at this place
 */
export function readJws(compact: string, typ: SignedKind): Decision<ReadJws, JwsRefusal> {
  const malformed = (reason: string) => refuse({ code: 'exchange/malformed' as const, reason })
  if (compact.length > jwsLengthMax[typ]) return malformed('too-large')
  const parts = compact.split('.', 4)
  const [headerPart, payloadPart, signaturePart] = parts
  if (parts.length !== 3 || !headerPart || !payloadPart || !signaturePart) return malformed('not-compact')
  const header = readObject(headerPart)
  if (!header) return malformed('header')
  const { alg, kid, typ: found, ...others } = header
  if (Object.keys(others).length > 0) return malformed('header-member')
  if (alg !== 'ES256') return malformed('alg')
  if (found !== typ) return malformed('typ')
  if (typeof kid !== 'string' || !KID.test(kid)) return malformed('kid')
  const signature = decodeBase64Url(signaturePart)
  if (signature?.length !== 64) return malformed('signature-length')
  const payload = readObject(payloadPart)
  if (!payload) return malformed('payload')
  const signingInput = `${headerPart}.${payloadPart}`
  return accept({ kid, payload, signingInput, signature, digest: sha256(signingInput), compact })
}

/** Signs a payload as a compact JWS of one kind. The payload's members stand in the order given. */
export function signJws(typ: SignedKind, payload: object, signer: Signer): { compact: string; digest: string } {
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: signer.kid, typ })).toString('base64url')
  const signingInput = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
  const signature = signer.sign(Buffer.from(signingInput)).toString('base64url')
  return { compact: `${signingInput}.${signature}`, digest: sha256(signingInput) }
}

/**
 * Whether a signature verifies with an ES256 public key.
 *
 * Why DER: asked with its own option for r ‖ s, node:crypto takes half as long again for each verification.
 */
export function verifyJws(jws: Pick<ReadJws, 'signingInput' | 'signature'>, key: KeyObject): boolean {
  return cryptoVerify('sha256', Buffer.from(jws.signingInput), key, derOf(jws.signature))
}

/** The 64 bytes r ‖ s of ES256 as DER writes them: a sequence of two integers. */
function derOf(signature: Buffer): Buffer {
  const [r, s] = [integerOf(signature.subarray(0, 32)), integerOf(signature.subarray(32))]
  return Buffer.concat([Buffer.from([0x30, r.length + s.length]), r, s])
}

/** DER writes an integer without leading zeros, but for one that keeps it from looking negative. */
function integerOf(bytes: Buffer): Buffer {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const digits = bytes.subarray(start)
  const sign = (digits[0] ?? 0) & 0x80 ? [0] : []
  return Buffer.concat([Buffer.from([0x02, sign.length + digits.length, ...sign]), digits])
}

/** A signer over a private P-256 key held in memory. */
export function signerOf(kid: string, key: KeyObject): Signer {
  return { kid, sign: (data) => cryptoSign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }) }
}
