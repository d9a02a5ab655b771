import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { Keyring, PublishedKey } from '../../src/exchange/keyset.ts'
import type { Mode } from '../../src/exchange/message.ts'
import { type Signer, signerOf } from '../../src/exchange/strict-jws.ts'
import type { AdministrationId } from '../../src/kernel/index.ts'

/**
 * What the simulated nodes sign with. `es256` is the algorithm of DX1. `toy` is RSA with 512 bits: its signatures are
 * 64 bytes too and the same code verifies them, five times faster, and equal input gives equal bytes. It protects nothing.
 */
export type KeyKind = 'toy' | 'es256'

/** Which of its two signing keys a node uses, or how many of them its partner knows. */
export type KeyNumber = 1 | 2

/** Two primes each. Published on purpose: what they sign is worth nothing outside a simulation. */
const toyPrimes = {
  'KZ-KGD/test/1': [
    'e614c49a500c55959cca2803de71ecc677846b1a05420d23c4df6eb034de6d91',
    'd8aa4e2b2eb7aff658dca01e51ec578df1f34851b74a296a2bf707e5c29e1507',
  ],
  'KZ-KGD/test/2': [
    'e8c8bcd9ed828eb6f440c5f490eb4d170ac984e41512596b9d55e0556d817e9d',
    'c38e933a205320e2247dfe7493ff497631c2cd6523e640521b81fb5b24e4b349',
  ],
  'KZ-KGD/live/1': [
    'ef69f5067a3a3962b583f1ad2f865fd244860af1551c570e2610aa5c81d2d92f',
    'db0e867c3f3f6a954453b6d7d87f07afc9855fdac3dedca3d9128341198b2cb1',
  ],
  'KZ-KGD/live/2': [
    'dd54f00e4c9e2fbeb986a9429600520ed4277d3f644be278364fac52b17fa099',
    'd0155e65c0b3ff77dca34aa5efed1701c5efc58781bd132cfc4130e593fd41c3',
  ],
  'CN-GACC/test/1': [
    'e234e132fbe6bc4d8829e326ed38312b034a4dece4a99b7d343f5746bca7aa35',
    'c87c8c75599346f324dfb84a0f84eccac6e2c0143197dd04b7658b8ec1ae7b2b',
  ],
  'CN-GACC/test/2': [
    'd499b620228d9560fd1f439a9c82702cac2bc5672b91e938beb2969c6bd0fc53',
    'd03a710091f8ba5ad8712b586f3227a11553f8e1fdfa21eda98671c34a6f33f1',
  ],
  'CN-GACC/live/1': [
    'cf392e9ea3bc2c115967d049de1a35c7f99715d8c78a87623efb896cd2ed6a61',
    'c5daa32dba925402c2300652ed3c4f444377172162c9cb9e8ea4263b39706ced',
  ],
  'CN-GACC/live/2': [
    'f68a5058f57631d80ebbafbdf7bc0becf01b24ea7f37a65f6a7beeacf3503757',
    'cd8c3a01bffab69cf887f40ac3a8ff810f559887f1c5a74ef2119bbba60657d7',
  ],
} as const satisfies Record<string, readonly [string, string]>

function toyKey([pHex, qHex]: readonly [string, string]): KeyObject {
  const [p, q, e] = [BigInt(`0x${pHex}`), BigInt(`0x${qHex}`), 65_537n]
  const d = inverse(e, (p - 1n) * (q - 1n))
  const text = (value: bigint) => {
    const hex = value.toString(16)
    return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
  }
  const jwk = {
    kty: 'RSA',
    n: text(p * q),
    e: text(e),
    d: text(d),
    p: text(p),
    q: text(q),
    dp: text(d % (p - 1n)),
    dq: text(d % (q - 1n)),
    qi: text(inverse(q, p)),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [r0, r1, s0, s1] = [value % modulus, modulus, 1n, 0n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1]
  }
  return ((s0 % modulus) + modulus) % modulus
}

const validity = { nbf: Date.UTC(2020, 0, 1) / 1000, exp: Date.UTC(2040, 0, 1) / 1000 }
const signers = new Map<string, { readonly signer: Signer; readonly published: PublishedKey }>()
const keyrings = new Map<string, Keyring>()

// Keys are made once in a process: making them is dear, using them is not.
function signingKey(kind: KeyKind, iss: AdministrationId, mode: Mode, number: KeyNumber) {
  const name = `${kind}/${iss}/${mode}/${number}`
  const known = signers.get(name)
  if (known) return known
  const primes = toyPrimes[`${iss}/${mode}/${number}` as keyof typeof toyPrimes]
  const key = kind === 'toy' ? toyKey(primes) : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const kid = `${iss}-${mode}-s${number}`
  const signer = kind === 'toy' ? { kid, sign: (data: Uint8Array) => sign('sha256', data, key) } : signerOf(kid, key)
  const made = { signer, published: { kid, key: createPublicKey(key), ...validity } }
  signers.set(name, made)
  return made
}

export function simulationSigner(kind: KeyKind, iss: AdministrationId, mode: Mode, number: KeyNumber): Signer {
  return signingKey(kind, iss, mode, number).signer
}

/** The keyset of an administration in one mode as its partner knows it, with one signing key or with both. */
export function simulationKeyring(kind: KeyKind, iss: AdministrationId, mode: Mode, number: KeyNumber): Keyring {
  const name = `${kind}/${iss}/${mode}/${number}`
  const known = keyrings.get(name)
  if (known) return known
  const keys = ([1, 2] as const).slice(0, number).map((each) => signingKey(kind, iss, mode, each).published)
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
