import { createHash } from 'node:crypto'
import type { Checker } from './checker.ts'
import type { Faults } from './faults.ts'
import type { Nonces } from './keys.ts'
import type { Rules } from './rules.ts'
import type { Timeline } from './timeline.ts'
import type { Wire } from './wire.ts'

/** Everything two simulated nodes share. */
export interface World {
  readonly seed: number
  readonly timeline: Timeline
  readonly faults: Faults
  readonly wire: Wire
  readonly rules: Rules
  readonly nonces: Nonces
  readonly checker: Checker
  readonly trace: Trace
  readonly tally: Tally
}

export const seconds = 1000
export const minutes = 60 * seconds
export const hours = 60 * minutes
export const days = 24 * hours

/** What happened, line by line. Equal seeds give equal lines. */
export class Trace {
  readonly lines: string[] = []

  add(now: number, who: string, what: string): void {
    this.lines.push(`${new Date(now).toISOString()} ${who} ${what}`)
  }

  get digest(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex')
  }
}

/** Counts by name. */
export class Tally {
  readonly counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }
}
