import { createHash } from 'node:crypto'
import { accept, type Decision, refuse } from '../kernel/index.ts'

/** A numbered entry as it stands in the record. */
export interface ChainedEntry {
  readonly position: number
  readonly id: string
  readonly at: string
  readonly salt: Uint8Array
  readonly subjects: readonly string[]
  /** Canonical JSON of {actor, at, events, id, purpose}; its UTF-8 bytes are what is hashed. */
  readonly content: string
  readonly leaf: Uint8Array
  readonly chain: Uint8Array
}

/** The last entry that is known to be good: what the next one must follow. */
export interface ChainHead {
  readonly position: number
  readonly chain: Uint8Array
}

export type ChainRefusal = {
  readonly code: 'audit/chain-broken'
  readonly position: number
  /** `gap`: a position is missing. `leaf`, `chain`: a digest differs. `columns`: what stands beside the content does. */
  readonly found: 'gap' | 'leaf' | 'chain' | 'columns'
}

/** Before the first entry. */
export const chainStart: ChainHead = { position: 0, chain: new Uint8Array(32) }

/** SHA-256(0x00 ‖ salt ‖ content): a leaf as RFC 6962 makes it, of the salted content. */
export function leafDigest(salt: Uint8Array, content: string): Buffer {
  return createHash('sha256').update(Uint8Array.of(0)).update(salt).update(content, 'utf8').digest()
}

/** SHA-256(0x01 ‖ chain of the entry before ‖ leaf). */
export function chainDigest(previous: Uint8Array, leaf: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(previous).update(leaf).digest()
}

function columnsAgree(entry: ChainedEntry): boolean {
  try {
    const { id, at, events } = JSON.parse(entry.content) as { id: string; at: string; events: { subject: string }[] }
    return id === entry.id && at === entry.at && subjectsOf(events).join('\n') === entry.subjects.join('\n')
  } catch {
    return false
  }
}

/** The distinct subjects of an entry's events, in order of appearance. */
export function subjectsOf(events: readonly { readonly subject: string }[]): string[] {
  return [...new Set(events.map(({ subject }) => subject))]
}

/**
 * Decides whether entries follow a known head without a gap and unchanged.
 *
 * Why: whoever can write to the database could rewrite the record; the chain shows the first place where that was
 * done to anyone who kept a later head.
 * @returns the head after them, or the first place that is broken
 */
export function decideChain(head: ChainHead, entries: readonly ChainedEntry[]): Decision<ChainHead, ChainRefusal> {
  let { position, chain } = head
  for (const entry of entries) {
    const broken = (found: ChainRefusal['found']) =>
      refuse({ code: 'audit/chain-broken' as const, position: position + 1, found })
    if (entry.position !== position + 1) return broken('gap')
    const leaf = leafDigest(entry.salt, entry.content)
    if (!leaf.equals(entry.leaf)) return broken('leaf')
    const next = chainDigest(chain, leaf)
    if (!next.equals(entry.chain)) return broken('chain')
    if (!columnsAgree(entry)) return broken('columns')
    position = entry.position
    chain = next
  }
  return accept({ position, chain })
}
