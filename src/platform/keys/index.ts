/**
 * The node's own keys: an offline root that signs keysets, and for each mode its signing and decryption keys and the TLS
 * key. Private keys lie in files encrypted at rest; the node works with them through the interface below only.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { CompactEncrypt, compactDecrypt } from 'jose'
import * as x509 from '@peculiar/x509'
import {
  fingerprintOf,
  type KeysetPayload,
  type Mode,
  type PublicKeyJwk,
  type Signer,
  signerOf,
  signJws,
  spkiDigest,
} from '../../exchange/index.ts'
import { type AdministrationId, Fault } from '../../kernel/index.ts'

/** What the node asks of its keys, wherever they are kept. */
export interface NodeKeys {
  readonly administration: AdministrationId
  readonly rootPublicJwk: PublicKeyJwk
  /** What two officers read to each other when a link is set up. */
  readonly rootFingerprint: string
  /** The signed keyset that partners hold of us. */
  keyset(mode: Mode): string
  signer(mode: Mode): Signer
  decrypters(mode: Mode): ReadonlyMap<string, KeyObject>
  readonly tls: { readonly key: string; readonly cert: string; readonly pin: string }
  /** Until when the keysets are valid. */
  readonly expiresAt: Date
}

const keysetDays = 90
const tlsDays = 3650
/** PBKDF2 rounds: about a tenth of a second, once at start. */
const passphraseRounds = 210_000
const fileMode = 0o600

interface PrivateKeyset {
  readonly keys: ReadonlyArray<{ kid: string; use: 'sign' | 'decrypt'; pkcs8: string }>
}

const publicJwk = (key: KeyObject): PublicKeyJwk => {
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  return { kty, crv, x, y } as PublicKeyJwk
}

const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

async function seal(text: string, passphrase: string): Promise<string> {
  return await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' })
    .setKeyManagementParameters({ p2c: passphraseRounds })
    .encrypt(new TextEncoder().encode(passphrase))
}

async function unseal(sealed: string, passphrase: string, file: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(sealed.trim(), new TextEncoder().encode(passphrase), {
      keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxPBES2Count: passphraseRounds,
    })
    return new TextDecoder().decode(plaintext)
  } catch (cause) {
    throw new Fault('platform/keys-locked', `the passphrase does not open ${file}`, { cause, facts: { file } })
  }
}

/** Writes a file whole or not at all, readable by its owner only. */
async function writeSecret(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.part`, 'wx', fileMode)
  await handle.writeFile(text)
  await handle.sync()
  await handle.close()
  await rename(`${path}.part`, path)
}

/** The certificate that carries the TLS key. Nobody asks an authority about it: partners compare its key. */
async function selfSigned(administration: AdministrationId, keys: { privateKey: KeyObject; publicKey: KeyObject }, now: Date): Promise<string> {
  x509.cryptoProvider.set(globalThis.crypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const pkcs8 = new Uint8Array(keys.privateKey.export({ type: 'pkcs8', format: 'der' }))
  const spki = new Uint8Array(keys.publicKey.export({ type: 'spki', format: 'der' }))
  const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign'])
  const publicKey = await crypto.subtle.importKey('spki', spki, algorithm, true, ['verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${administration}`,
    notBefore: new Date(now.getTime() - 86_400_000),
    notAfter: new Date(now.getTime() + tlsDays * 86_400_000),
    keys: { privateKey, publicKey },
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  })
  return certificate.toString('pem')
}

/**
 * Makes the keys of a new node. The root's private key is written to its own file, meant to be moved off the machine:
 * the node never reads it.
 * @throws Fault platform/keys-exist when the folder holds keys already; nothing is overwritten
 */
export async function createKeys(options: {
  folder: string
  passphrase: string
  administration: AdministrationId
  now: Date
}): Promise<void> {
  const { folder, passphrase, administration, now } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (await readFile(join(folder, 'public.json'), 'utf8').catch(() => undefined))
    throw new Fault('platform/keys-exist', `the folder ${folder} holds keys already`, { facts: { folder } })
  const root = pair()
  const tls = pair()
  const cert = await selfSigned(administration, tls, now)
  const seconds = Math.floor(now.getTime() / 1000)
  const span = { nbf: seconds - 86_400, exp: seconds + keysetDays * 86_400 }
  const keysets: { [mode in Mode]?: string } = {}
  for (const mode of ['test', 'live'] as const) {
    const sign = { kid: `${administration}.${mode}.sign.1`, use: 'sign' as const, ...pair() }
    const decrypt = { kid: `${administration}.${mode}.decrypt.1`, use: 'decrypt' as const, ...pair() }
    const payload: KeysetPayload = {
      iss: administration,
      mode,
      number: 1,
      prev: null,
      iat: seconds,
      exp: span.exp,
      keys: [
        { kid: sign.kid, use: 'sign', alg: 'ES256', jwk: publicJwk(sign.publicKey), ...span },
        { kid: decrypt.kid, use: 'decrypt', alg: 'ECDH-ES+A256KW', jwk: publicJwk(decrypt.publicKey), ...span },
        { kid: `${administration}.tls.1`, use: 'tls', alg: 'ES256', jwk: publicJwk(tls.publicKey), ...span },
      ],
    }
    keysets[mode] = signJws('dx1-keyset', payload, signerOf(`${administration}.root`, root.privateKey)).compact
    const secret: PrivateKeyset = {
      keys: [sign, decrypt].map(({ kid, use, privateKey }) => ({ kid, use, pkcs8: pem(privateKey) })),
    }
    await writeSecret(join(folder, `${mode}.private.jwe`), await seal(JSON.stringify(secret), passphrase))
  }
  await writeSecret(join(folder, 'tls.private.jwe'), await seal(pem(tls.privateKey), passphrase))
  await writeSecret(join(folder, 'root.private.jwe'), await seal(pem(root.privateKey), passphrase))
  const known = { administration, root: publicJwk(root.publicKey), keysets, tlsCertificate: cert, expiresAt: new Date(span.exp * 1000).toISOString() }
  await writeSecret(join(folder, 'public.json'), `${JSON.stringify(known, null, 2)}\n`)
}

/** Opens the keys of a node. @throws Fault platform/keys-missing, platform/keys-locked */
export async function openKeys(options: { folder: string; passphrase: string }): Promise<NodeKeys> {
  const { folder, passphrase } = options
  const read = async (name: string): Promise<string> => {
    const file = join(folder, name)
    return await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Fault('platform/keys-missing', `the key file ${file} cannot be read`, { cause, facts: { file } })
    })
  }
  const known = JSON.parse(await read('public.json')) as {
    administration: AdministrationId
    root: PublicKeyJwk
    keysets: { [mode in Mode]: string }
    tlsCertificate: string
    expiresAt: string
  }
  const opened = async (mode: Mode) => {
    const file = `${mode}.private.jwe`
    const { keys } = JSON.parse(await unseal(await read(file), passphrase, file)) as PrivateKeyset
    const objects = keys.map(({ kid, use, pkcs8 }) => ({ kid, use, key: createPrivateKey(pkcs8) }))
    const sign = objects.find(({ use }) => use === 'sign')
    if (!sign) throw new Fault('platform/keys-missing', `${file} holds no signing key`, { facts: { file } })
    return {
      signer: signerOf(sign.kid, sign.key),
      decrypters: new Map(objects.filter(({ use }) => use === 'decrypt').map(({ kid, key }) => [kid, key])),
    }
  }
  const [test, live, tlsKey] = await Promise.all([
    opened('test'),
    opened('live'),
    read('tls.private.jwe').then((sealed) => unseal(sealed, passphrase, 'tls.private.jwe')),
  ])
  const modes = { test, live }
  const root = createPublicKey({ key: known.root, format: 'jwk' })
  return {
    administration: known.administration,
    rootPublicJwk: known.root,
    rootFingerprint: fingerprintOf(root),
    keyset: (mode) => known.keysets[mode],
    signer: (mode) => modes[mode].signer,
    decrypters: (mode) => modes[mode].decrypters,
    tls: { key: tlsKey, cert: known.tlsCertificate, pin: spkiDigest(createPublicKey(tlsKey)) },
    expiresAt: new Date(known.expiresAt),
  }
}
