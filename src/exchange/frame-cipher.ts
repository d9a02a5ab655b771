import type { KeyObject } from 'node:crypto'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { accept, type Decision, readJson, refuse } from '../kernel/index.ts'
import { type FrameRefusal, frameLimits } from './frame.ts'
import { decodeBase64Url } from './strict-jws.ts'

const ALG = 'ECDH-ES+A256KW'
const ENC = 'A256GCM'
const TYP = 'dx1-frame'
/** Bytes of the wrapped key, the initialisation vector and the tag: no other split of the same bytes is read. */
const lengths = { wrappedKey: 40, iv: 12, tag: 16 } as const

/** Encrypts a frame for one decryption key of the partner, as a compact JWE. Made anew at each attempt. */
export async function sealFrame(plain: Uint8Array, recipient: { kid: string; key: KeyObject }): Promise<string> {
  return await new CompactEncrypt(plain)
    .setProtectedHeader({ alg: ALG, enc: ENC, kid: recipient.kid, typ: TYP })
    .encrypt(recipient.key)
}

/**
 * Decrypts a frame with the key its header names.
 *
 * The header is read strictly first: exactly {alg, enc, epk, kid, typ} with the two algorithms of DX1, so that
 * compression, password encryption and direct keys never reach the library. Every failure gives one and the same
 * refusal, so that an attacker learns nothing from it.
 */
export async function openFrame(
  compact: string,
  decrypters: ReadonlyMap<string, KeyObject>,
): Promise<Decision<Uint8Array, FrameRefusal>> {
  const unreadable = refuse({ code: 'exchange/frame-unreadable' as const })
  if (compact.length > frameLimits.wireBytesMax) return unreadable
  const parts = compact.split('.', 6)
  const header = parts.length === 5 && parts[0] ? readHeader(parts[0]) : undefined
  const key = header && decrypters.get(header.kid)
  const [, wrappedKey, iv, ciphertext, tag] = parts.map(decodeBase64Url)
  const sound =
    wrappedKey?.length === lengths.wrappedKey && iv?.length === lengths.iv && tag?.length === lengths.tag && ciphertext
  if (!key || !sound) return unreadable
  try {
    const { plaintext } = await compactDecrypt(compact, key, {
      keyManagementAlgorithms: [ALG],
      contentEncryptionAlgorithms: [ENC],
    })
    return accept(plaintext)
  } catch {
    return unreadable
  }
}

function readHeader(part: string): { kid: string } | undefined {
  const bytes = decodeBase64Url(part)
  if (!bytes || bytes.length > 1024) return undefined
  const read = readJson(bytes.toString('utf8'), { lengthMax: 1024, depthMax: 2, otherNumbers: 'refuse' })
  if (!read.ok || read.value === null || typeof read.value !== 'object' || Array.isArray(read.value)) return undefined
  const { alg, enc, epk, kid, typ, ...others } = read.value as { [name: string]: unknown }
  if (Object.keys(others).length > 0 || alg !== ALG || enc !== ENC || typ !== TYP) return undefined
  if (typeof kid !== 'string' || epk === null || typeof epk !== 'object') return undefined
  const { kty, crv, x, y, ...rest } = epk as { [name: string]: unknown }
  const sound = kty === 'EC' && crv === 'P-256' && typeof x === 'string' && typeof y === 'string'
  return sound && Object.keys(rest).length === 0 ? { kid } : undefined
}
