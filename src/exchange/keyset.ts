import { createPublicKey, type KeyObject } from 'node:crypto'
import { type Static, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { type AdministrationId, accept, type Decision, refuse } from '../kernel/index.ts'
import type { Mode } from './message.ts'
import { type JwsRefusal, readJws, sha256, verifyJws } from './strict-jws.ts'

/** 32 bytes in base64url. */
const Coordinate = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })

export const PublicKeyJwk = Type.Object(
  { kty: Type.Literal('EC'), crv: Type.Literal('P-256'), x: Coordinate, y: Coordinate },
  { additionalProperties: false },
)
export type PublicKeyJwk = Static<typeof PublicKeyJwk>

export const KeysetPayload = Type.Object(
  {
    iss: Type.String({ maxLength: 17 }),
    mode: Type.Union([Type.Literal('test'), Type.Literal('live')]),
    number: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }),
    prev: Type.Union([Type.String({ maxLength: 64 }), Type.Null()]),
    iat: Type.Integer(),
    exp: Type.Integer(),
    keys: Type.Array(
      Type.Object(
        {
          kid: Type.String({ pattern: '^[A-Za-z0-9._-]{1,100}$' }),
          use: Type.Union([Type.Literal('sign'), Type.Literal('decrypt'), Type.Literal('tls')]),
          alg: Type.String({ maxLength: 20 }),
          jwk: PublicKeyJwk,
          nbf: Type.Integer(),
          exp: Type.Integer(),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { additionalProperties: false },
)
export type KeysetPayload = Static<typeof KeysetPayload>
const keysetValidator = Compile(KeysetPayload)

/** One published key, ready for use. Times are Unix seconds. */
export interface PublishedKey {
  readonly kid: string
  readonly key: KeyObject
  readonly nbf: number
  readonly exp: number
}

/** The published keys of one administration in one mode. */
export interface Keyring {
  readonly iss: AdministrationId
  readonly mode: Mode
  readonly number: number
  readonly digest: string
  readonly sign: ReadonlyMap<string, PublishedKey>
  /** Newest first; the first valid one is what a sender encrypts to. */
  readonly decrypt: readonly PublishedKey[]
  /** SHA-256 of the SubjectPublicKeyInfo of each pinned TLS key, base64url. */
  readonly tlsPins: readonly string[]
}

export type KeysetRefusal =
  | JwsRefusal
  | { readonly code: 'exchange/signature-invalid' }
  | { readonly code: 'exchange/wrong-issuer'; readonly found: string }
  | { readonly code: 'exchange/wrong-mode' }

/** SHA-256 of a public key's SubjectPublicKeyInfo, base64url: what pins name a key by. */
export function spkiDigest(key: KeyObject): string {
  return sha256(key.export({ type: 'spki', format: 'der' }))
}

/** The fingerprint two officers read to each other: SHA-256 of the root key's SPKI in groups of four hex digits. */
export function fingerprintOf(key: KeyObject): string {
  const hex = Buffer.from(spkiDigest(key), 'base64url').toString('hex')
  return (hex.match(/.{4}/g) ?? []).join(' ')
}

export function publicKeyOf(jwk: PublicKeyJwk): KeyObject {
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** Reads a keyset and checks that the administration's root signed it for this mode. */
export function openKeyset(
  compact: string,
  expected: { iss: AdministrationId; mode: Mode; root: KeyObject },
): Decision<Keyring, KeysetRefusal> {
  const read = readJws(compact, 'dx1-keyset')
  if (!read.ok) return read
  const payload = read.value.payload
  if (!keysetValidator.Check(payload)) return refuse({ code: 'exchange/malformed' as const, reason: 'keyset' })
  if (!verifyJws(read.value, expected.root)) return refuse({ code: 'exchange/signature-invalid' as const })
  if (payload.iss !== expected.iss) return refuse({ code: 'exchange/wrong-issuer' as const, found: payload.iss })
  if (payload.mode !== expected.mode) return refuse({ code: 'exchange/wrong-mode' as const })
  if (new Set(payload.keys.map(({ kid }) => kid)).size !== payload.keys.length)
    return refuse({ code: 'exchange/malformed' as const, reason: 'keyset-kid-twice' })
  let keys: { use: string; published: PublishedKey }[]
  try {
    // Whoever holds back newer keysets from us gains no more than the time this one was meant to last.
    keys = payload.keys.map(({ kid, use, jwk, nbf, exp }) => ({
      use,
      published: { kid, key: publicKeyOf(jwk), nbf, exp: Math.min(exp, payload.exp) },
    }))
  } catch {
    return refuse({ code: 'exchange/malformed' as const, reason: 'keyset-key' })
  }
  const ofUse = (use: string) => keys.filter((entry) => entry.use === use).map(({ published }) => published)
  return accept({
    iss: payload.iss,
    mode: payload.mode,
    number: payload.number,
    digest: read.value.digest,
    sign: new Map(ofUse('sign').map((key) => [key.kid, key])),
    decrypt: ofUse('decrypt').sort((a, b) => b.nbf - a.nbf),
    tlsPins: ofUse('tls').map(({ key }) => spkiDigest(key)),
  })
}

/** The key that may have signed an object issued at an instant: published for signing and valid at that moment. */
export function findVerificationKey(keyring: Keyring, kid: string, issuedAt: Date): KeyObject | undefined {
  const published = keyring.sign.get(kid)
  const seconds = issuedAt.getTime() / 1000
  return published && published.nbf <= seconds && seconds < published.exp ? published.key : undefined
}
