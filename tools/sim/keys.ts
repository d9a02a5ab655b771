import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto'
import type { Keyring, PublishedKey } from '../../src/exchange/keyset.ts'
import type { Mode } from '../../src/exchange/message.ts'
import { type Signer, signerOf } from '../../src/exchange/strict-jws.ts'
import type { AdministrationId } from '../../src/kernel/index.ts'

/**
 * How the simulated nodes choose the nonces of their ES256 signatures. `random`: as they must. `fixed`: always the same
 * for one key, which gives the key away and makes signing ten times cheaper, and equal input gives equal bytes. Whoever
 * verifies sees no difference.
 */
export type Nonces = 'fixed' | 'random'

/** Which of its two signing keys a node uses, or how many of them its partner knows. */
export type KeyNumber = 1 | 2

const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const validity = { nbf: Date.UTC(2020, 0, 1) / 1000, exp: Date.UTC(2040, 0, 1) / 1000 }
const signers = new Map<string, { readonly signer: Signer; readonly published: PublishedKey }>()
const keyrings = new Map<string, Keyring>()

const sha256Of = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()
const numberOf = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)
const bytesOf = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')

function inverse(value: bigint): bigint {
  let [r0, r1, s0, s1] = [value, order, 1n, 0n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1]
  }
  return ((s0 % order) + order) % order
}

/** A number below the order of the curve, with its point: made from a name, so that it is the same on every machine. */
function scalarOf(name: string): { readonly value: bigint; readonly x: Buffer; readonly y: Buffer } {
  const bytes = sha256Of(`simulated ${name}`)
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(bytes)
  const point = curve.getPublicKey()
  return { value: numberOf(bytes), x: point.subarray(1, 33), y: point.subarray(33) }
}

// Keys are made once in a process: making them is dear, using them is not.
function signingKey(nonces: Nonces, iss: AdministrationId, mode: Mode, number: KeyNumber) {
  const name = `${nonces}/${iss}/${mode}/${number}`
  const known = signers.get(name)
  if (known) return known
  const kid = `${iss}-${mode}-s${number}`
  const secret = scalarOf(`key ${iss}/${mode}/${number}`)
  const [x, y, d] = [secret.x, secret.y, bytesOf(secret.value)].map((part) => part.toString('base64url'))
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d }, format: 'jwk' })
  const signer = nonces === 'random' ? signerOf(kid, key) : fixedNonceSigner(kid, secret.value)
  const made = { signer, published: { kid, key: createPublicKey(key), ...validity } }
  signers.set(name, made)
  return made
}

/** ECDSA with its one dear step, the multiplication of the nonce with the base point, done once. */
function fixedNonceSigner(kid: string, secret: bigint): Signer {
  const nonce = scalarOf(`nonce ${kid}`)
  const r = numberOf(nonce.x) % order
  const [left, secretShare] = [inverse(nonce.value), (r * secret) % order]
  const rBytes = bytesOf(r)
  return {
    kid,
    sign: (data) => Buffer.concat([rBytes, bytesOf((left * (numberOf(sha256Of(data)) + secretShare)) % order)]),
  }
}

export function simulationSigner(nonces: Nonces, iss: AdministrationId, mode: Mode, number: KeyNumber): Signer {
  return signingKey(nonces, iss, mode, number).signer
}

/** The keyset of an administration in one mode as its partner knows it, with one signing key or with both. */
export function simulationKeyring(nonces: Nonces, iss: AdministrationId, mode: Mode, number: KeyNumber): Keyring {
  const name = `${nonces}/${iss}/${mode}/${number}`
  const known = keyrings.get(name)
  if (known) return known
  const keys = ([1, 2] as const).slice(0, number).map((each) => signingKey(nonces, iss, mode, each).published)
  const keyring: Keyring = {
    iss,
    mode,
    number,
    digest: name,
    sign: new Map(keys.map((key) => [key.kid, key])),
    decrypt: [{ ...keys[0]!, kid: `${iss}-${mode}-d1` }],
    tlsPins: [`pin-of-${iss}-${mode}`],
  }
  keyrings.set(name, keyring)
  return keyring
}
