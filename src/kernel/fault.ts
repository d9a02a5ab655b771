/**
 * The world failed: a database away, a disk full, a peer unreachable.
 *
 * Thrown, and caught only at a route's edge or by a job runner. `code` is stable; `retryable` says whether the same
 * call may succeed later without anyone acting.
 */
export class Fault extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly facts: Readonly<Record<string, unknown>>

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; cause?: unknown; facts?: Record<string, unknown> } = {},
  ) {
    super(message, { cause: options.cause })
    this.name = 'Fault'
    this.code = code
    this.retryable = options.retryable ?? false
    this.facts = options.facts ?? {}
  }
}

/** Dies loudly when the program itself is wrong. Never for bad input. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`Bug: ${claim}`)
}
