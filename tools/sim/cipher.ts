import { type FrameRefusal, frameLimits } from '../../src/exchange/frame.ts'
import { decodeBase64Url, sha256 } from '../../src/exchange/strict-jws.ts'
import { accept, type Decision, refuse } from '../../src/kernel/index.ts'

/**
 * Stands for the encryption of frames: one key opens a frame, and one that was touched on the way cannot be opened.
 *
 * Why not the real one: it is randomised and asynchronous, and no decision depends on anything else about it.
 */
export function sealSimulated(plain: Buffer, kid: string): string {
  const content = plain.toString('base64url')
  return `${kid}.${content}.${sha256(`${kid}.${content}`)}`
}

export function openSimulated(compact: string, kids: ReadonlySet<string>): Decision<Uint8Array, FrameRefusal> {
  const [kid, content, seal, ...others] = compact.split('.')
  const plain = decodeBase64Url(content ?? '')
  const sound =
    others.length === 0 &&
    compact.length <= frameLimits.wireBytesMax &&
    kids.has(kid ?? '') &&
    seal === sha256(`${kid}.${content}`)
  return plain && sound ? accept(plain) : refuse({ code: 'exchange/frame-unreadable' as const })
}
