import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import type { AdministrationId } from '../../src/kernel/index.ts'
import type { Keyring } from '../../src/exchange/keyset.ts'
import type { Mode } from '../../src/exchange/message.ts'
import { type Signer, signerOf } from '../../src/exchange/strict-jws.ts'

/**
 * What the simulated nodes sign with. `es256` is the algorithm of DX1. `toy` is RSA with 512 bits: its signatures are
 * 64 bytes too and the same code verifies them, five times faster, and equal input gives equal bytes. It protects nothing.
 */
export type KeyKind = 'toy' | 'es256'

export interface ModeKeys {
  readonly signer: Signer
  /** As the partner knows them. */
  readonly keyring: Keyring
}

/** Two primes each. Published on purpose: what they sign is worth nothing outside a simulation. */
const toyPrimes = {
  'KZ-KGD/test': ['e614c49a500c55959cca2803de71ecc677846b1a05420d23c4df6eb034de6d91', 'd8aa4e2b2eb7aff658dca01e51ec578df1f34851b74a296a2bf707e5c29e1507'],
  'KZ-KGD/live': ['ef69f5067a3a3962b583f1ad2f865fd244860af1551c570e2610aa5c81d2d92f', 'db0e867c3f3f6a954453b6d7d87f07afc9855fdac3dedca3d9128341198b2cb1'],
  'CN-GACC/test': ['e234e132fbe6bc4d8829e326ed38312b034a4dece4a99b7d343f5746bca7aa35', 'c87c8c75599346f324dfb84a0f84eccac6e2c0143197dd04b7658b8ec1ae7b2b'],
  'CN-GACC/live': ['cf392e9ea3bc2c115967d049de1a35c7f99715d8c78a87623efb896cd2ed6a61', 'c5daa32dba925402c2300652ed3c4f444377172162c9cb9e8ea4263b39706ced'],
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

const made = new Map<string, ModeKeys>()

/** The keys of one administration in one mode. They are made once in a process: making them is dear, using them is not. */
export function simulationKeys(kind: KeyKind, iss: AdministrationId, mode: Mode): ModeKeys {
  const name = `${kind}/${iss}/${mode}`
  const known = made.get(name)
  if (known) return known
  const primes = toyPrimes[`${iss}/${mode}` as keyof typeof toyPrimes]
  const key = kind === 'toy' ? toyKey(primes) : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const kid = `${iss}-${mode}-s1`
  const times = { nbf: Date.UTC(2020, 0, 1) / 1000, exp: Date.UTC(2040, 0, 1) / 1000 }
  const published = { key: createPublicKey(key), ...times }
  const keys: ModeKeys = {
    signer: kind === 'toy' ? { kid, sign: (data) => sign('sha256', data, key) } : signerOf(kid, key),
    keyring: {
      iss,
      mode,
      number: 1,
      digest: name,
      sign: new Map([[kid, { kid, ...published }]]),
      decrypt: [{ kid: `${iss}-${mode}-d1`, ...published }],
      tlsPins: [`pin-of-${iss}-${mode}`],
    },
  }
  made.set(name, keys)
  return keys
}
