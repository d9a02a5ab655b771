/** A reference to one clause of a register, such as `STOP-2021/2.3-r1`. */
export type ClauseRef = string

/** What the rules say no to: a stable code `domain/reason`, the clause where law made it, and facts, never prose. */
export interface Refusal {
  readonly code: string
  readonly clause?: ClauseRef
  readonly [fact: string]: unknown
}

export type Decision<Accepted, Refused = Refusal> =
  | { readonly ok: true; readonly value: Accepted }
  | { readonly ok: false; readonly refusal: Refused }

export function accept<Accepted>(value: Accepted): { readonly ok: true; readonly value: Accepted } {
  return { ok: true, value }
}

export function refuse<const Refused>(refusal: Refused): { readonly ok: false; readonly refusal: Refused } {
  return { ok: false, refusal }
}

/**
 * One finding about one place of a document. Whether it refuses or only warns is said by where it stands.
 * `pointer` is an RFC 6901 JSON pointer into the document the finding is about; `facts` are what the sentence needs.
 */
export interface Problem {
  readonly code: string
  readonly pointer: string
  readonly facts?: Readonly<Record<string, string | number | boolean>>
}

/** Escapes one reference token of a JSON pointer (RFC 6901 §4). */
export function pointerToken(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Builds a JSON pointer: `pointer('items', 2, 'netMass')` is `/items/2/netMass`. */
export function pointer(...path: ReadonlyArray<string | number>): string {
  return path.map((token) => `/${pointerToken(token)}`).join('')
}
