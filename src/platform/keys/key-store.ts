import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { type AdministrationId, assert, Fault, type Instant } from '../../kernel/index.ts'
import {
  fingerprintOf,
  issueKeyset,
  type KeysetContent,
  keysetDigest,
  keysetSecondsMax,
  type Mode,
  modes,
  type PublicJwk,
  publicJwkOf,
  readOwnKeyset,
  signEs256,
  spkiSha256,
} from './keyset.ts'
import { makeSelfSignedCertificate } from './self-signed-certificate.ts'

/** Signs as this node in one mode: ES256, 64 bytes r ‖ s. */
export interface NodeSigner {
  readonly kid: string
  sign(data: Uint8Array): Buffer
}

/** The opened keys of a node. Modes never share a signing or decryption key. */
export interface NodeKeys {
  readonly administration: AdministrationId
  readonly rootPublicJwk: PublicJwk
  /** In groups of four hex digits, for two officers to read to each other. */
  readonly rootFingerprint: string
  /** The signed keyset to publish, a compact JWS. */
  keyset(mode: Mode): string
  keysetExpiresAt(mode: Mode): Instant
  signer(mode: Mode): NodeSigner
  decrypters(mode: Mode): ReadonlyMap<string, KeyObject>
  /** `spkiSha256` in base64url is what partners pin. */
  readonly tls: { readonly key: string; readonly cert: string; readonly spkiSha256: string }
}

export interface KeyFolder {
  readonly folder: string
  readonly passphrase: string
}

/** One private key as it is kept. Times are Unix seconds. */
interface KeptKey {
  readonly mode: Mode | 'both'
  readonly use: 'sign' | 'decrypt' | 'tls'
  readonly number: number
  readonly jwk: JsonWebKeyWithPrivate
  readonly nbf: number
  readonly exp: number
}
type JsonWebKeyWithPrivate = PublicJwk & { readonly d: string }

interface KeptKeys {
  readonly administration: AdministrationId
  readonly keys: readonly KeptKey[]
}

const PASSPHRASE_CHARACTERS_MIN = 12
/** Takes about 0.2 s to open on an ordinary machine, and as long for each guess of one who stole the file. */
const PBKDF2_ROUNDS = 600_000
const PBKDF2_ROUNDS_MAX = 5_000_000
const KEY_SECONDS = 3 * 366 * 24 * 3600
/** A partner's clock may be behind ours. */
const CLOCK_SECONDS = 300
const algorithms = { sign: 'ES256', decrypt: 'ECDH-ES+A256KW', tls: 'ES256' } as const

const files = {
  root: 'root.private.jwe',
  node: 'node.private.jwe',
  rootPublic: 'root.public.json',
  certificate: 'tls.certificate.pem',
  keyset: { test: 'keyset.test.jws', live: 'keyset.live.jws' },
} as const

async function encrypt(value: unknown, passphrase: string): Promise<string> {
  return new CompactEncrypt(Buffer.from(JSON.stringify(value)))
    .setProtectedHeader({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM' })
    .setKeyManagementParameters({ p2c: PBKDF2_ROUNDS })
    .encrypt(Buffer.from(passphrase.normalize('NFC'), 'utf8'))
}

async function decrypt(file: string, passphrase: string): Promise<unknown> {
  const compact = await readFile(file, 'utf8').catch((cause) => {
    throw new Fault('platform/keys-missing', `There is no key file ${file}. Run "dostyk init", or restore it.`, {
      cause,
      facts: { file },
    })
  })
  try {
    const { plaintext } = await compactDecrypt(compact.trim(), Buffer.from(passphrase.normalize('NFC'), 'utf8'), {
      keyManagementAlgorithms: ['PBES2-HS512+A256KW'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxPBES2Count: PBKDF2_ROUNDS_MAX,
    })
    return JSON.parse(Buffer.from(plaintext).toString('utf8'))
  } catch (cause) {
    throw new Fault('platform/keys-locked', `The passphrase does not open ${file}, or the file is damaged.`, {
      cause,
      facts: { file },
    })
  }
}

/** Writes a file so that it is there whole or not at all. */
async function writeWhole(file: string, text: string, mode: number): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, text, { mode, flag: 'wx', flush: true })
  await rename(draft, file).catch(async (error) => {
    await rm(draft, { force: true })
    throw error
  })
}

function newKey(): JsonWebKeyWithPrivate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { d } = privateKey.export({ format: 'jwk' })
  return { ...publicJwkOf(privateKey), d: d ?? '' }
}

function privateKeyOf(jwk: JsonWebKeyWithPrivate): KeyObject {
  return createPrivateKey({ key: { ...jwk }, format: 'jwk' })
}

/** `KZ-KGD.live.sign.1`; the one TLS key is published in both modes, under a name in each. */
function kidOf(administration: AdministrationId, mode: Mode, { use, number }: KeptKey): string {
  return `${administration}.${mode}.${use}.${number}`
}

/** The keys of a mode with their names, newest first. */
function keysOf(kept: KeptKeys, mode: Mode): readonly (KeptKey & { readonly kid: string })[] {
  return kept.keys
    .filter((key) => key.mode === mode || key.mode === 'both')
    .map((key) => ({ ...key, kid: kidOf(kept.administration, mode, key) }))
    .sort((a, b) => b.number - a.number)
}

function keysetFor(kept: KeptKeys, mode: Mode, previous: string | undefined, seconds: number): KeysetContent {
  return {
    iss: kept.administration,
    mode,
    number: previous ? readOwnKeyset(previous).number + 1 : 1,
    prev: previous ? keysetDigest(previous) : null,
    iat: seconds,
    exp: seconds + keysetSecondsMax,
    keys: keysOf(kept, mode).map(({ kid, use, jwk, nbf, exp }) => {
      const { d: _private, ...publicJwk } = jwk
      return { kid, use, alg: algorithms[use], jwk: publicJwk, nbf, exp }
    }),
  }
}

function secondsOf(now: Instant): number {
  return Math.floor(Date.parse(now) / 1000)
}

/**
 * Makes all keys of a node in a folder: a root, for each mode one to sign and one to decrypt, and one for TLS.
 *
 * Why: the root signs nothing but keysets. Its file `root.private.jwe` is meant to be moved to where no network is and
 * to come back for a renewal. Private keys stand in the folder only as JWE under the passphrase.
 *
 * @param now an instant in UTC: keys and keysets are valid from five minutes before
 * @throws Fault `platform/keys-exist` rather than overwrite a key; `platform/passphrase-weak`
 */
export async function createKeys(
  options: KeyFolder & { readonly administration: AdministrationId; readonly now: Instant },
): Promise<void> {
  const { folder, passphrase, administration, now } = options
  if (passphrase.length < PASSPHRASE_CHARACTERS_MIN)
    throw new Fault(
      'platform/passphrase-weak',
      `The passphrase for the keys has fewer than ${PASSPHRASE_CHARACTERS_MIN} characters. Choose a longer one.`,
    )
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const file of [files.node, files.root, files.rootPublic])
    if (await stat(join(folder, file)).catch(() => undefined))
      throw new Fault('platform/keys-exist', `The folder ${folder} holds keys already; they are never overwritten.`, {
        facts: { folder },
      })
  const seconds = secondsOf(now)
  const make = (mode: KeptKey['mode'], use: KeptKey['use']): KeptKey => ({
    mode,
    use,
    number: 1,
    jwk: newKey(),
    nbf: seconds - CLOCK_SECONDS,
    exp: seconds + KEY_SECONDS,
  })
  const tls = make('both', 'tls')
  const keys = [...modes.flatMap((mode) => [make(mode, 'sign'), make(mode, 'decrypt')]), tls]
  const kept: KeptKeys = { administration, keys }
  const rootJwk = newKey()
  const root = privateKeyOf(rootJwk)
  const rootPublic = { administration, jwk: publicJwkOf(root), fingerprint: fingerprintOf(createPublicKey(root)) }
  const certificate = await makeSelfSignedCertificate(privateKeyOf(tls.jwk), administration, now)
  await writeWhole(join(folder, files.root), await encrypt({ administration, jwk: rootJwk }, passphrase), 0o600)
  await writeWhole(join(folder, files.rootPublic), `${JSON.stringify(rootPublic, undefined, 2)}\n`, 0o644)
  await writeWhole(join(folder, files.certificate), certificate, 0o644)
  for (const mode of modes) {
    const keyset = issueKeyset(root, keysetFor(kept, mode, undefined, seconds - CLOCK_SECONDS))
    await writeWhole(join(folder, files.keyset[mode]), `${keyset}\n`, 0o644)
  }
  // The file without which nothing opens comes last: a crash before it leaves nothing that looks ready.
  await writeWhole(join(folder, files.node), await encrypt(kept, passphrase), 0o600)
}

async function readPublic(folder: string, file: string): Promise<string> {
  const path = join(folder, file)
  return readFile(path, 'utf8').catch((cause) => {
    throw new Fault('platform/keys-missing', `There is no key file ${path}. Run "dostyk init", or restore it.`, {
      cause,
      facts: { file: path },
    })
  })
}

/**
 * Opens a node's keys once, at its start.
 *
 * @throws Fault `platform/keys-missing`, `platform/keys-locked`
 */
export async function openKeys({ folder, passphrase }: KeyFolder): Promise<NodeKeys> {
  const kept = (await decrypt(join(folder, files.node), passphrase)) as KeptKeys
  const { jwk, fingerprint } = JSON.parse(await readPublic(folder, files.rootPublic)) as {
    jwk: PublicJwk
    fingerprint: string
  }
  const cert = await readPublic(folder, files.certificate)
  const open = async (mode: Mode) => {
    const keys = keysOf(kept, mode)
    const newest = keys.find(({ use }) => use === 'sign')
    assert(newest, 'every mode has a key to sign')
    const key = privateKeyOf(newest.jwk)
    const signer: NodeSigner = { kid: newest.kid, sign: (data) => signEs256(key, data) }
    const decrypters = new Map(
      keys.filter(({ use }) => use === 'decrypt').map((each) => [each.kid, privateKeyOf(each.jwk)]),
    )
    return { signer, decrypters, keyset: (await readPublic(folder, files.keyset[mode])).trim() }
  }
  const opened = { test: await open('test'), live: await open('live') }
  const tls = kept.keys.find(({ use }) => use === 'tls')
  assert(tls, 'a node has a TLS key')
  const tlsKey = privateKeyOf(tls.jwk)
  return {
    administration: kept.administration,
    rootPublicJwk: jwk,
    rootFingerprint: fingerprint,
    keyset: (mode) => opened[mode].keyset,
    keysetExpiresAt: (mode) => new Date(readOwnKeyset(opened[mode].keyset).exp * 1000).toISOString(),
    signer: (mode) => opened[mode].signer,
    decrypters: (mode) => opened[mode].decrypters,
    tls: {
      key: tlsKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      cert,
      spkiSha256: spkiSha256(createPublicKey(tlsKey)).toString('base64url'),
    },
  }
}

/**
 * Issues both keysets again for another 90 days, with the root key from its file.
 *
 * @param options.rootFile where the root key is now, when it is not in the folder
 * @param options.rootPassphrase its passphrase, when it is another
 */
export async function renewKeysets(
  options: KeyFolder & { readonly now: Instant; readonly rootFile?: string; readonly rootPassphrase?: string },
): Promise<void> {
  const { folder, passphrase, now } = options
  const kept = (await decrypt(join(folder, files.node), passphrase)) as KeptKeys
  const { jwk } = (await decrypt(
    options.rootFile ?? join(folder, files.root),
    options.rootPassphrase ?? passphrase,
  )) as {
    jwk: JsonWebKeyWithPrivate
  }
  const root = privateKeyOf(jwk)
  const { jwk: known } = JSON.parse(await readPublic(folder, files.rootPublic)) as { jwk: PublicJwk }
  if (known.x !== jwk.x || known.y !== jwk.y)
    throw new Fault('platform/keys-locked', 'The root key is not the one that this node was set up with.')
  for (const mode of modes) {
    const previous = (await readPublic(folder, files.keyset[mode])).trim()
    const keyset = issueKeyset(root, keysetFor(kept, mode, previous, secondsOf(now) - CLOCK_SECONDS))
    await writeWhole(join(folder, files.keyset[mode]), `${keyset}\n`, 0o644)
  }
}
