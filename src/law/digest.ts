import { createHash } from 'node:crypto'
import { canonicalJson } from '../kernel/index.ts'

/** SHA-256 of content, as base64url without padding. */
export type Digest = string

const DIGEST = /^[A-Za-z0-9_-]{43}$/

export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** Digests what an act is about, so that persons approve exactly this content and no other. */
export function digestOf(content: unknown): Digest {
  return createHash('sha256').update(canonicalJson(content)).digest('base64url')
}
