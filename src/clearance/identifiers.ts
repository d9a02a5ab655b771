/**
 * Judges the identifiers of the railway and of trade by their shape and, where one exists, their check digit.
 *
 * Why here: intake, the checks at both ends and the desk must agree on what a defective number is. A defect is never a
 * reason to refuse: real boxes and wagons run with defective numbers, and the finding travels with the record.
 */

export type IdentifierFinding = 'ok' | 'format' | 'check-digit'

const verdict = (holds: boolean): IdentifierFinding => (holds ? 'ok' : 'check-digit')
const digitsOf = (text: string): number[] => Array.from(text, Number)

/** ISO 6346 letter values: A is 10, and multiples of 11 are skipped. */
const ISO_6346_VALUES: ReadonlyMap<string, number> = new Map([
  ...Array.from('0123456789', (digit, value) => [digit, value] as const),
  ...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ', (letter, index) => [letter, index + 10 + Math.ceil(index / 10)] as const),
])

function iso6346CheckDigit(text: string): number {
  const sum = Array.from(text).reduce(
    (total, letter, index) => total + (ISO_6346_VALUES.get(letter) ?? 0) * 2 ** index,
    0,
  )
  return (sum % 11) % 10
}

/** The wagon rule of both the 1520 space and UIC: weights 2, 1, 2 … from the left, products over 9 count their digits. */
function luhnFromLeft(digits: readonly number[]): number {
  const sum = digits.reduce((total, digit, index) => {
    const product = digit * (index % 2 === 0 ? 2 : 1)
    return total + (product > 9 ? product - 9 : product)
  }, 0)
  return (10 - (sum % 10)) % 10
}

function weightedRemainder(digits: readonly number[], weights: readonly number[]): number {
  return digits.reduce((total, digit, index) => total + digit * (weights[index] ?? 0), 0) % 11
}

/** A freight container number by ISO 6346: owner code, category U, J or Z, serial number, check digit. */
export function checkContainerNumber(value: string): IdentifierFinding {
  if (!/^[A-Z]{3}[UJZ]\d{7}$/.test(value)) return 'format'
  return verdict(iso6346CheckDigit(value.slice(0, 10)) === Number(value[10]))
}

/** An eight-digit wagon number of the 1520 space. */
export function checkWagon1520(value: string): IdentifierFinding {
  if (!/^\d{8}$/.test(value)) return 'format'
  return verdict(luhnFromLeft(digitsOf(value.slice(0, 7))) === Number(value[7]))
}

/** A twelve-digit UIC vehicle number. */
export function checkWagonUic(value: string): IdentifierFinding {
  if (!/^\d{12}$/.test(value)) return 'format'
  return verdict(luhnFromLeft(digitsOf(value.slice(0, 11))) === Number(value[11]))
}

/** A seven-digit Chinese wagon number; it has no check digit. */
export function checkWagonCn(value: string): IdentifierFinding {
  return /^\d{7}$/.test(value) ? 'ok' : 'format'
}

export type WagonNumberType = '1520-8' | 'UIC-12' | 'CN-7'

const WAGON_CHECKS: Readonly<Record<WagonNumberType, (value: string) => IdentifierFinding>> = {
  '1520-8': checkWagon1520,
  'UIC-12': checkWagonUic,
  'CN-7': checkWagonCn,
}
const WAGON_TYPE_BY_LENGTH: ReadonlyMap<number, WagonNumberType> = new Map([
  [8, '1520-8'],
  [12, 'UIC-12'],
  [7, 'CN-7'],
])

/** A wagon number of the type stated, or of the type its length says when none is stated. */
export function checkWagonNumber(value: string, type?: WagonNumberType): IdentifierFinding {
  const known = type ?? WAGON_TYPE_BY_LENGTH.get(value.length)
  return known === undefined ? 'format' : WAGON_CHECKS[known](value)
}

/** A station code of the 1520 space: five digits without, six with a check digit. */
export function checkEsrStation(value: string): IdentifierFinding {
  if (!/^\d{5,6}$/.test(value)) return 'format'
  if (value.length === 5) return 'ok'
  const digits = digitsOf(value.slice(0, 5))
  const first = weightedRemainder(digits, [1, 2, 3, 4, 5])
  const second = first === 10 ? weightedRemainder(digits, [3, 4, 5, 6, 7]) : first
  return verdict(second % 10 === Number(value[5]))
}

/** A Kazakh business or individual identification number (BIN, IIN). */
export function checkKzBinIin(value: string): IdentifierFinding {
  if (!/^\d{12}$/.test(value)) return 'format'
  const digits = digitsOf(value.slice(0, 11))
  const first = weightedRemainder(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  const second = first === 10 ? weightedRemainder(digits, [3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) : first
  return verdict(second === Number(value[11]))
}

/**
 * Whether a Kazakh number has the shape of a person's: a date of birth and a digit for century and sex, where a business
 * number has its kind (4 to 6) in the fifth place. A wrong check digit makes no business of a person. An individual
 * entrepreneur trades under the person's number.
 */
export function isKzPersonNumber(value: string): boolean {
  return /^\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[0-6]\d{5}$/.test(value)
}

const USCC_LETTERS = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const USCC_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]

/** A Chinese unified social credit code (GB 32100): 18 characters, remainder of 31. */
export function checkCnUscc(value: string): IdentifierFinding {
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(value)) return 'format'
  const sum = USCC_WEIGHTS.reduce(
    (total, weight, index) => total + weight * USCC_LETTERS.indexOf(value[index] ?? ''),
    0,
  )
  return verdict(USCC_LETTERS[(31 - (sum % 31)) % 31] === value[17])
}

/** A vehicle identification number: 17 characters without I, O and Q. Its check digit is not used worldwide. */
export function checkVin(value: string): IdentifierFinding {
  return /^[A-HJ-NPR-Z0-9]{17}$/.test(value) ? 'ok' : 'format'
}

/** Whether a declaration number has the shape of a movement reference number (year, country, 13 characters, digit). */
export function isMrnShaped(value: string): boolean {
  return /^\d{2}[A-Z]{2}[A-Z0-9]{13}\d$/.test(value)
}

/** A movement reference number of transit or export: the ISO 6346 rule over its first 17 characters. */
export function checkMrn(value: string): IdentifierFinding {
  if (!isMrnShaped(value)) return 'format'
  return verdict(iso6346CheckDigit(value.slice(0, 17)) === Number(value[17]))
}

/** A United Nations number of dangerous goods: four digits. */
export function checkUnNumber(value: string): IdentifierFinding {
  return /^\d{4}$/.test(value) ? 'ok' : 'format'
}
