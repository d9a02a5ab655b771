import { createPublicKey, verify, X509Certificate } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fingerprintOf, openKeyset, publicKeyOf } from '../../exchange/index.ts'
import { createKeys, type NodeKeys, openKeys, renewKeysets } from './key-store.ts'

const passphrase = 'correct horse battery'
const now = '2026-11-22T03:00:00.000Z'
let parent: string
let folder: string
let keys: NodeKeys

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'dostyk-keys-'))
  folder = join(parent, 'keys')
  await createKeys({ folder, passphrase, administration: 'KZ-KGD', now })
  keys = await openKeys({ folder, passphrase })
})
afterAll(() => rm(parent, { recursive: true }))

async function copyOf(): Promise<string> {
  const copy = await mkdtemp(join(parent, 'copy-'))
  await cp(folder, copy, { recursive: true })
  return copy
}

describe('keysets', () => {
  test.each(['test', 'live'] as const)('of mode %s open with the root key as the protocol reads them', (mode) => {
    const root = publicKeyOf(keys.rootPublicJwk)
    const opened = openKeyset(keys.keyset(mode), { iss: 'KZ-KGD', mode, root })
    expect(opened).toMatchObject({
      ok: true,
      value: { iss: 'KZ-KGD', mode, number: 1, tlsPins: [keys.tls.spkiSha256] },
    })
    expect(opened.ok && [...opened.value.sign.keys()]).toEqual([`KZ-KGD.${mode}.sign.1`])
    expect(opened.ok && opened.value.decrypt.map(({ kid }) => kid)).toEqual([`KZ-KGD.${mode}.decrypt.1`])
    expect(keys.rootFingerprint).toBe(fingerprintOf(root))
  })

  test('of one mode are refused in the other', () => {
    const root = publicKeyOf(keys.rootPublicJwk)
    expect(openKeyset(keys.keyset('test'), { iss: 'KZ-KGD', mode: 'live', root }).ok).toBe(false)
  })

  test('last 90 days from five minutes before they were made', () => {
    expect(keys.keysetExpiresAt('live')).toBe('2027-02-20T02:55:00.000Z')
  })

  test('share no signing or decryption key between the modes', () => {
    const xs = (['test', 'live'] as const).flatMap((mode) => {
      const payload = JSON.parse(Buffer.from(keys.keyset(mode).split('.')[1] ?? '', 'base64url').toString())
      return payload.keys.flatMap((key: { use: string; jwk: { x: string } }) => (key.use === 'tls' ? [] : [key.jwk.x]))
    })
    expect(new Set(xs).size).toBe(4)
    expect(keys.keyset('live')).not.toMatch(/"d"/)
  })

  test('are issued again with a higher number that names the one before', async () => {
    const copy = await copyOf()
    const rootFile = join(parent, 'root-on-a-stick.jwe')
    await rename(join(copy, 'root.private.jwe'), rootFile)
    await renewKeysets({ folder: copy, passphrase, rootFile, now: '2027-01-01T00:00:00.000Z' })
    const renewed = await openKeys({ folder: copy, passphrase })
    const root = publicKeyOf(keys.rootPublicJwk)
    const before = openKeyset(keys.keyset('live'), { iss: 'KZ-KGD', mode: 'live', root })
    const payload = JSON.parse(Buffer.from(renewed.keyset('live').split('.')[1] ?? '', 'base64url').toString())
    expect(payload).toMatchObject({ number: 2, prev: before.ok && before.value.digest })
    expect(openKeyset(renewed.keyset('live'), { iss: 'KZ-KGD', mode: 'live', root })).toMatchObject({ ok: true })
    expect(renewed.keysetExpiresAt('live')).toBe('2027-03-31T23:55:00.000Z')
  })

  test('are not issued with a root key of another node', async () => {
    const copy = await copyOf()
    const other = join(parent, 'other')
    await createKeys({ folder: other, passphrase, administration: 'KZ-KGD', now })
    const renewal = renewKeysets({ folder: copy, passphrase, now, rootFile: join(other, 'root.private.jwe') })
    await expect(renewal).rejects.toMatchObject({ code: 'platform/keys-locked' })
  })
})

describe('keys', () => {
  test('sign ES256 as r ‖ s that the published key verifies', () => {
    const { kid, sign } = keys.signer('live')
    const signature = sign(Buffer.from('data'))
    const root = publicKeyOf(keys.rootPublicJwk)
    const keyset = openKeyset(keys.keyset('live'), { iss: 'KZ-KGD', mode: 'live', root })
    const key = keyset.ok ? keyset.value.sign.get(kid)?.key : undefined
    expect(signature).toHaveLength(64)
    expect(key && verify('sha256', Buffer.from('data'), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
  })

  test('decrypt what was encrypted to the published key', async () => {
    const root = publicKeyOf(keys.rootPublicJwk)
    const keyset = openKeyset(keys.keyset('test'), { iss: 'KZ-KGD', mode: 'test', root })
    const published = keyset.ok ? keyset.value.decrypt[0] : undefined
    const compact = await new CompactEncrypt(Buffer.from('hello'))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM' })
      .encrypt(published?.key ?? new Uint8Array())
    const mine = keys.decrypters('test').get(published?.kid ?? '')
    const { plaintext } = await compactDecrypt(compact, mine ?? new Uint8Array())
    expect(Buffer.from(plaintext).toString()).toBe('hello')
  })

  test('shake hands over mutual TLS 1.3 with a certificate of the pinned key', async () => {
    const pinOf = (socket: TLSSocket) =>
      socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
    const options = { ...keys.tls, minVersion: 'TLSv1.3', rejectUnauthorized: false } as const
    const seenByServer = await new Promise<Buffer | undefined>((resolve, reject) => {
      const server = createServer({ ...options, requestCert: true }, (socket) => {
        resolve(pinOf(socket))
        socket.destroy()
        server.close()
      })
      server.listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number }
        connect({ ...options, host: '127.0.0.1', port }).on('error', reject)
      })
    })
    const certificate = new X509Certificate(keys.tls.cert)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.subject).toBe('CN=KZ-KGD')
    expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT')
    expect(seenByServer).toEqual(certificate.publicKey.export({ type: 'spki', format: 'der' }))
    expect(createPublicKey(keys.tls.key).equals(certificate.publicKey)).toBe(true)
  })
})

describe('key files', () => {
  test('are readable to nobody else, and hold no private key in the open', async () => {
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8')
      const { mode } = await stat(join(folder, name))
      if (name.includes('private')) expect(mode & 0o777).toBe(0o600)
      expect(text).not.toMatch(/"d"|PRIVATE KEY/)
    }
  })

  test('are never overwritten', async () => {
    const again = createKeys({ folder, passphrase, administration: 'KZ-KGD', now })
    await expect(again).rejects.toMatchObject({ code: 'platform/keys-exist' })
  })

  test('do not open with another passphrase, nor when a byte differs', async () => {
    await expect(openKeys({ folder, passphrase: 'another passphrase' })).rejects.toMatchObject({
      code: 'platform/keys-locked',
    })
    const copy = await copyOf()
    const file = join(copy, 'node.private.jwe')
    const text = await readFile(file, 'utf8')
    // The first character of the tag: the last one has bits that decoding throws away.
    const tag = text.lastIndexOf('.') + 1
    await writeFile(file, `${text.slice(0, tag)}${text[tag] === 'A' ? 'B' : 'A'}${text.slice(tag + 1)}`)
    await expect(openKeys({ folder: copy, passphrase })).rejects.toMatchObject({ code: 'platform/keys-locked' })
  })

  test('open with a passphrase typed in another Unicode form', async () => {
    const other = join(parent, 'unicode')
    await createKeys({ folder: other, passphrase: 'пароль й пароль'.normalize('NFC'), administration: 'KZ-KGD', now })
    const opened = await openKeys({ folder: other, passphrase: 'пароль й пароль'.normalize('NFD') })
    expect(opened.administration).toBe('KZ-KGD')
  })

  test('name the missing file and what to do', async () => {
    const missing = openKeys({ folder: join(parent, 'nowhere'), passphrase })
    await expect(missing).rejects.toMatchObject({ code: 'platform/keys-missing' })
  })

  test('are not made under a short passphrase', async () => {
    const weak = createKeys({ folder: join(parent, 'weak'), passphrase: 'short', administration: 'KZ-KGD', now })
    await expect(weak).rejects.toMatchObject({ code: 'platform/passphrase-weak' })
  })
})
