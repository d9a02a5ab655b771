/** A seeded stream of numbers (mulberry32): the same seed gives the same samples on every machine. */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1))
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.integer(0, values.length - 1)]!
  }

  /** `count` decimal digits. */
  digits(count: number): string {
    return Array.from({ length: count }, () => this.integer(0, 9)).join('')
  }
}

/** `total` cut into `count` whole parts that differ by up to `spread` from the mean and add up to `total` again. */
export function split(random: Random, total: number, count: number, spread: number): number[] {
  const mean = Math.floor(total / count)
  const parts = Array.from({ length: count }, () => mean)
  for (let index = 0; index + 1 < count; index += 2) {
    const shift = random.integer(-spread, spread)
    parts[index]! += shift
    parts[index + 1]! -= shift
  }
  parts[count - 1]! += total - parts.reduce((sum, part) => sum + part, 0)
  return parts
}
