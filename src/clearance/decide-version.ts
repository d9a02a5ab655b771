import { createHash } from 'node:crypto'
import { accept, canonicalJson, type Decision, refuse } from '../kernel/index.ts'
import { canonicalDecimals } from './canonical-decimals.ts'

/**
 * SHA-256 over a record's canonical JSON with canonical decimals, in lower-case hexadecimal: equal digests mean equal
 * content, whatever the order of members or the spelling of numbers.
 */
export function contentDigest(content: object): string {
  return createHash('sha256')
    .update(canonicalJson(canonicalDecimals(content)))
    .digest('hex')
}

export interface VersionedContent {
  readonly version: number
  readonly contentDigest: string
}

/** `first`: nothing was known. `superseded`: older than what is known; it is kept and shown nowhere. */
export type VersionOutcome = 'first' | 'unchanged' | 'amendment' | 'superseded'
export interface VersionConflict {
  readonly code: 'clearance/version-conflict'
  readonly version: number
}

/**
 * Decides what a declaration is against the version known of it.
 *
 * The same content again changes nothing; other content under the same version is a conflict, since nobody could say
 * which of the two was meant; a higher version amends.
 * @param known the newest version known, if any
 */
export function decideVersion(
  known: VersionedContent | undefined,
  incoming: VersionedContent,
): Decision<VersionOutcome, VersionConflict> {
  if (known === undefined) return accept('first')
  if (incoming.version > known.version) return accept('amendment')
  if (incoming.version < known.version) return accept('superseded')
  if (incoming.contentDigest === known.contentDigest) return accept('unchanged')
  return refuse({ code: 'clearance/version-conflict', version: incoming.version })
}

/** One message about a declaration as the receiver holds it. */
export interface ReceivedVersion {
  readonly version: number
  readonly type: 'EXP-CLR' | 'TRN-CLR' | 'AMD' | 'CNL'
}

export interface Shown<Version extends ReceivedVersion> {
  /** The one version that is shown; a cancellation shows the declaration as cancelled. */
  readonly shown: Version
  readonly state: 'current' | 'cancelled'
  /** An amendment or cancellation is shown though the message that began the declaration has not come. */
  readonly gap: boolean
}

/**
 * Decides which of the versions received is shown: the newest, at once, even while an older one is missing. An older
 * one that arrives later changes nothing that is shown, and a withdrawal prevails over the version it withdraws.
 *
 * @param received in order of arrival, at least one
 */
export function decideShown<Version extends ReceivedVersion>(
  received: readonly [Version, ...Version[]],
): Shown<Version> {
  const shown = received.reduce((best, next) => (replaces(next, best) ? next : best))
  const begun = received.some(({ type }) => type === 'EXP-CLR' || type === 'TRN-CLR')
  return { shown, state: shown.type === 'CNL' ? 'cancelled' : 'current', gap: !begun }
}

function replaces(next: ReceivedVersion, shown: ReceivedVersion): boolean {
  if (next.version !== shown.version) return next.version > shown.version
  return next.type === 'CNL' && shown.type !== 'CNL'
}
