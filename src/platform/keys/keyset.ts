import { createHash, type KeyObject, sign } from 'node:crypto'
import { type AdministrationId, canonicalJson } from '../../kernel/index.ts'

export type Mode = 'test' | 'live'
export const modes = ['test', 'live'] as const satisfies readonly Mode[]

/** A public EC key on P-256 as RFC 7518 writes it. */
export interface PublicJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** One published key. Times are Unix seconds. */
export interface KeysetEntry {
  readonly kid: string
  readonly use: 'sign' | 'decrypt' | 'tls'
  readonly alg: string
  readonly jwk: PublicJwk
  readonly nbf: number
  readonly exp: number
}

/** What a keyset says: these are the keys of this administration in this mode, until `exp`. */
export interface KeysetContent {
  readonly iss: AdministrationId
  readonly mode: Mode
  /** Rises by one with each issue. */
  readonly number: number
  /** The digest of the keyset before: SHA-256 of its signing input, base64url. */
  readonly prev: string | null
  readonly iat: number
  readonly exp: number
  readonly keys: readonly KeysetEntry[]
}

/** A keyset lives no longer than this; a node that cannot renew it falls silent by itself. */
export const keysetSecondsMax = 90 * 24 * 3600

/**
 * ES256 over bytes: the 64 bytes r ‖ s.
 *
 * Why by way of DER: asked with its own option for r ‖ s, node:crypto takes twice as long for each signature.
 */
export function signEs256(key: KeyObject, data: Uint8Array): Buffer {
  const der = sign('sha256', data, key)
  const signature = Buffer.alloc(64)
  // A sequence of two integers, each with its length; a longer one begins with a zero that says "not negative".
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const digits = der.subarray(at + 2, at + 2 + length)
    const kept = digits.subarray(Math.max(0, length - 32))
    kept.copy(signature, end - kept.length)
    at += 2 + length
  }
  return signature
}

/** The public part of a P-256 key, in this one order of members and without anything else. */
export function publicJwkOf(key: KeyObject): PublicJwk {
  const { x, y } = key.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x: x ?? '', y: y ?? '' }
}

/** SHA-256 of a public key's SubjectPublicKeyInfo. */
export function spkiSha256(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

/** What two officers read to each other: the digest of the root key in groups of four hex digits. */
export function fingerprintOf(key: KeyObject): string {
  return (spkiSha256(key).toString('hex').match(/.{4}/g) ?? []).join(' ')
}

/** Signs a keyset with the root key, as a compact JWS of type `dx1-keyset`. */
export function issueKeyset(root: KeyObject, content: KeysetContent): string {
  const header = canonicalJson({ alg: 'ES256', kid: `${content.iss}.root`, typ: 'dx1-keyset' })
  const input = [header, canonicalJson(content)].map((part) => Buffer.from(part).toString('base64url')).join('.')
  return `${input}.${signEs256(root, Buffer.from(input)).toString('base64url')}`
}

/** The digest by which the next keyset names this one. */
export function keysetDigest(compact: string): string {
  return createHash('sha256')
    .update(compact.slice(0, compact.lastIndexOf('.')))
    .digest('base64url')
}

/** Reads a keyset of our own folder. */
export function readOwnKeyset(compact: string): KeysetContent {
  const [, payload] = compact.split('.')
  return JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8')) as KeysetContent
}
