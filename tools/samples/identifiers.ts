import type { Random } from './random.ts'

/**
 * Identifiers of the field, made with their check digits. Written apart from the product's own checks, so that one can
 * be tested against the other. Owner prefixes and register numbers lie outside what registers issue as far as their
 * published rules say; a wagon number has no such range, so a made-up one may be somebody's.
 */
const ISO_6346_LETTER_VALUES =
  'A10 B12 C13 D14 E15 F16 G17 H18 I19 J20 K21 L23 M24 N25 O26 P27 Q28 R29 S30 T31 U32 V34 W35 X36 Y37 Z38'
const letterValue = new Map(ISO_6346_LETTER_VALUES.split(' ').map((pair) => [pair[0]!, Number(pair.slice(1))]))

function weightedByPowersOfTwo(text: string): number {
  return [...text].reduce((sum, sign, place) => sum + (letterValue.get(sign) ?? Number(sign)) * 2 ** place, 0) % 11
}

/** ISO 6346: prefix of four letters, six digits, check digit. */
export function containerId(prefix: string, serial: string): string {
  return `${prefix}${serial}${weightedByPowersOfTwo(prefix + serial) % 10}`
}

/** A serial whose remainder is 10 would share its check digit with remainder 0; owners leave those out. */
export function newContainerId(random: Random, prefix: string): string {
  for (;;) {
    const serial = random.digits(6)
    if (weightedByPowersOfTwo(prefix + serial) !== 10) return containerId(prefix, serial)
  }
}

/** The same container number with the first two unequal neighbouring digits of its serial changed over. */
export function transposed(id: string): string {
  for (let at = 4; at < 9; at += 1) {
    if (id[at] === id[at + 1]) continue
    const changed = id.slice(0, at) + id[at + 1] + id[at] + id.slice(at + 2)
    if (containerId(changed.slice(0, 4), changed.slice(4, 10)) !== changed) return changed
  }
  throw new Error(`no two digits of ${id} can be changed over`)
}

/** The digit after `digits` by the rule that 1520 wagons share with bank cards, weights 2, 1, 2 … from the left. */
export function wagon1520(digits: string): string {
  const sum = [...digits].reduce((total, digit, place) => {
    const product = Number(digit) * (place % 2 === 0 ? 2 : 1)
    return total + (product > 9 ? product - 9 : product)
  }, 0)
  return `${digits}${(10 - (sum % 10)) % 10}`
}

/** Another last digit, so that the number no longer stands. */
export function withWrongLastDigit(number: string): string {
  return `${number.slice(0, -1)}${(Number(number.at(-1)) + 4) % 10}`
}

const VIN_VALUES = 'A1 B2 C3 D4 E5 F6 G7 H8 J1 K2 L3 M4 N5 P7 R9 S2 T3 U4 V5 W6 X7 Y8 Z9'
const vinValue = new Map(VIN_VALUES.split(' ').map((pair) => [pair[0]!, Number(pair[1])]))
const VIN_WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]

/** ISO 3779 with the check sign at place nine. */
export function vin(start8: string, end8: string): string {
  const open = `${start8}0${end8}`
  const rest =
    [...open].reduce((sum, sign, place) => sum + (vinValue.get(sign) ?? Number(sign)) * VIN_WEIGHTS[place]!, 0) % 11
  return `${start8}${rest === 10 ? 'X' : rest}${end8}`
}

const USCC_SIGNS = '0123456789ABCDEFGHJKLMNPQRTUWXY'

/** GB 32100: 17 signs and one by mod 31. Region 999999 is given to nobody. */
export function uscc(serial8: string): string {
  const open = `91999999MA${serial8.slice(0, 7)}`
  const sum = [...open].reduce((total, sign, place) => total + USCC_SIGNS.indexOf(sign) * (3 ** place % 31), 0)
  return `${open}${USCC_SIGNS[(31 - (sum % 31)) % 31]}`
}

/** Kazakhstan's 12-digit number; registrations are never of month 00. */
export function bin(open11: string): string | undefined {
  const weigh = (first: number) =>
    [...open11].reduce((sum, digit, place) => sum + Number(digit) * (((place + first) % 11) + 1), 0) % 11
  const rest = weigh(0) === 10 ? weigh(2) : weigh(0)
  return rest === 10 ? undefined : `${open11}${rest}`
}

export function newBin(random: Random): string {
  for (;;) {
    const number = bin(`250040${random.digits(5)}`)
    if (number !== undefined) return number
  }
}

/** The number of a person who trades; nobody is born in month 00. */
export function newIin(random: Random): string {
  for (;;) {
    const number = bin(`770000${random.digits(5)}`)
    if (number !== undefined) return number
  }
}

/** Russia's ten digits; no tax office is called 9999. */
export function newInn(random: Random): string {
  const open = `9999${random.digits(5)}`
  const weights = [2, 4, 10, 3, 5, 9, 4, 6, 8]
  const sum = [...open].reduce((total, digit, place) => total + Number(digit) * weights[place]!, 0)
  return `${open}${(sum % 11) % 10}`
}

/** Movement reference number of European transit: 17 signs and a check digit by the container rule. */
export function mrn(open17: string): string {
  return `${open17}${weightedByPowersOfTwo(open17) % 10}`
}

/** China: office, year, 0 for export, serial. */
export function cnDeclarationId(office: string, serial: number): string {
  return `${office}20260${String(serial).padStart(9, '0')}`
}

/** Kazakhstan and its union partners: office / day month year / serial. */
export function eaeuDeclarationId(office: string, date: string, serial: number): string {
  const [year, month, day] = date.split('-')
  return `${office}/${day}${month}${year!.slice(2)}/${String(serial).padStart(7, '0')}`
}
