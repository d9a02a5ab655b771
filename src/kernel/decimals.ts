import { Decimal } from 'decimal.js'

/** A decimal number as text, canonical: no exponent, no leading zeros, no trailing fraction zeros, no minus zero. */
export type DecimalText = string

const Exact = Decimal.clone({ precision: 60, toExpNeg: -40, toExpPos: 60 })
const DECIMAL = /^-?\d{1,20}(?:\.\d{1,12})?$/

/** @returns the canonical text, or undefined when it is not a plain decimal of at most 20 and 12 digits */
export function parseDecimal(text: string): DecimalText | undefined {
  if (!DECIMAL.test(text)) return undefined
  const value = new Exact(text)
  return value.isZero() ? '0' : value.toFixed()
}

export function addDecimals(values: Iterable<DecimalText>): DecimalText {
  let sum = new Exact(0)
  for (const value of values) sum = sum.plus(value)
  return sum.toFixed()
}

export function subtractDecimals(a: DecimalText, b: DecimalText): DecimalText {
  return new Exact(a).minus(b).toFixed()
}

/** @returns below 0, 0 or above 0 */
export function compareDecimals(a: DecimalText, b: DecimalText): number {
  return new Exact(a).comparedTo(b)
}

/** Whether two amounts differ by no more than a share of the larger, given in per cent. */
export function withinPercent(a: DecimalText, b: DecimalText, percent: DecimalText): boolean {
  const larger = Exact.max(new Exact(a).abs(), new Exact(b).abs())
  return new Exact(a).minus(b).abs().lessThanOrEqualTo(larger.times(percent).dividedBy(100))
}
