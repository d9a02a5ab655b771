/**
 * A seeded stream of numbers (mulberry32).
 *
 * Why several: each concern of a run draws from its own stream, so that one more draw by the wire does not change what
 * the declarants submit.
 */
export class Random {
  private state: number

  constructor(seed: number, stream: string) {
    let hash = 0x811c9dc5
    for (const char of `${seed}/${stream}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    this.state = hash >>> 0
  }

  /** A number in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** A whole number from `min` to `max` whose order of magnitude is uniform: many small ones, some large. */
  magnitude(min: number, max: number): number {
    return Math.floor(min * (max / min) ** this.next())
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.integer(0, values.length - 1)]!
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits) text += this.integer(0, 0xffff).toString(16).padStart(4, '0')
    return text.slice(0, digits)
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.hex(length * 2), 'hex')
  }

  uuid(): string {
    return grouped(`${this.hex(12)}4${this.hex(3)}8${this.hex(15)}`)
  }

  /** An id of the form the exchange gives its messages: the instant in milliseconds, then noise. */
  uuidV7(msecs: number): string {
    return grouped(`${msecs.toString(16).padStart(12, '0')}7${this.hex(3)}8${this.hex(15)}`)
  }
}

function grouped(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
