/**
 * Reads single values as the field writes them: decimals with units, dates with UN/EDIFACT format codes, wagon and
 * station numbers. Pure and without opinions about elements.
 */
import {
  type DecimalText,
  type Instant,
  isPlainDate,
  type PlainDate,
  parseDecimal,
  parseInstant,
  parseLocalDateTime,
} from '../../kernel/index.ts'
import type { NamedText, Station, Wagon } from '../model.ts'

/** Drops members that are undefined, so that a record holds only what was there. */
export function present<Value extends object>(value: Value): Value {
  for (const key of Object.keys(value) as (keyof Value)[]) if (value[key] === undefined) delete value[key]
  return value
}

/** Like {@link present}, and undefined when nothing is left. */
export function presentOrNone<Value extends object>(value: Value): Value | undefined {
  return Object.keys(present(value)).length === 0 ? undefined : value
}

/** `list` when it has members, else undefined: empty optional lists are left out. */
export function someOf<Member>(list: Member[]): Member[] | undefined {
  return list.length === 0 ? undefined : list
}

/** The one value that all share, or undefined when there is none or they differ. */
export function onlyOne<Value>(values: Iterable<Value | undefined>): Value | undefined {
  let found: Value | undefined
  for (const value of values) {
    if (value === undefined || value === found) continue
    if (found !== undefined) return undefined
    found = value
  }
  return found
}

/** Each value once, in the order of first appearance. */
export function distinct<Value extends object>(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}

const SHAPE = /^\d{1,16}(\.\d{1,6})?$/

/** XML Schema and UN/CEFACT also write decimals as `+5`, `.5` and `5.`. */
function plainDecimal(text: string): DecimalText | undefined {
  if (!/\d/.test(text)) return undefined
  return parseDecimal(
    text
      .replace(/^\+/, '')
      .replace(/^(-?)\./, '$10.')
      .replace(/\.$/, ''),
  )
}

/** A non-negative decimal of at most 16 and 6 digits in canonical form, or undefined. */
export function readDecimal(text: string): DecimalText | undefined {
  const value = plainDecimal(text)
  return value !== undefined && SHAPE.test(value) ? value : undefined
}

/** UN/CEFACT Recommendation 20 codes of mass, and the power of ten that makes kilograms of them. */
const MASS_UNITS: Readonly<Record<string, number>> = { KGM: 0, KG: 0, TNE: 3, T: 3, GRM: -3 }

/** Moves the decimal point; exact, because it never leaves the text. */
export function scaleDecimal(value: DecimalText, powerOfTen: number): DecimalText | undefined {
  const [whole = '', fraction = ''] = value.split('.')
  const digits = whole + fraction
  const point = whole.length + powerOfTen
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0')
  const at = Math.max(point, 0)
  return parseDecimal(`${padded.slice(0, at) || '0'}${padded.length > at ? `.${padded.slice(at)}` : ''}`)
}

/** @returns the mass in kg; `unit` when the unit is none of mass; undefined when it is no decimal */
export function readMass(text: string, unitCode: string | undefined): DecimalText | 'unit' | undefined {
  const power = MASS_UNITS[unitCode ?? 'KGM']
  const value = plainDecimal(text)
  if (value === undefined) return undefined
  if (power === undefined) return 'unit'
  const scaled = power === 0 ? value : scaleDecimal(value, power)
  return scaled !== undefined && SHAPE.test(scaled) ? scaled : undefined
}

/** What a written date or time says. `at` and `on` are both given when a zone or a time was written. */
export interface WrittenTime {
  /** The calendar day as written. */
  readonly on: PlainDate
  /** The instant, absent when only a day was written. */
  readonly at?: Instant
}

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/
const COMPACT = /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(\d{2})?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/

/** Whether a text has the shape of a date or time, so that only the calendar can be against it. */
export const isTimeShaped = (text: string): boolean => ISO.test(text) || COMPACT.test(text)

/** The UN/EDIFACT 2379 formats that are read, by what they must hold: digits of date and time, and a zone. */
const FORMATS: Readonly<Record<string, { digits: number; zone: 'none' | 'must' | 'may' }>> = {
  '102': { digits: 8, zone: 'none' },
  '203': { digits: 12, zone: 'none' },
  '204': { digits: 14, zone: 'none' },
  '205': { digits: 12, zone: 'must' },
  '303': { digits: 12, zone: 'may' },
  '304': { digits: 14, zone: 'may' },
}
export const dateFormatCodes: readonly string[] = Object.keys(FORMATS)

function written(
  day: string,
  time: string | undefined,
  zone: string | undefined,
  home: string,
): WrittenTime | undefined {
  if (!isPlainDate(day)) return undefined
  if (time === undefined) return zone === undefined ? { on: day } : undefined
  if (zone === undefined) {
    const at = parseLocalDateTime(`${day}T${time}`, home)
    return at === undefined ? undefined : { on: day, at }
  }
  const offset = zone === 'Z' ? 'Z' : zone.length === 3 ? `${zone}:00` : zone
  const at = parseInstant(`${day}T${time}${offset}`)
  return at === undefined ? undefined : { on: day, at }
}

/**
 * Reads a date or date-time as ISO 8601, or as digits in a UN/EDIFACT 2379 format.
 *
 * @param formatCode the stated format code; without one the text says its format by its own shape
 * @param zone IANA zone in which a date-time without an offset is read
 * @returns undefined when it is in none of these formats, or in no calendar
 */
export function readTime(text: string, formatCode: string | undefined, zone: string): WrittenTime | undefined {
  const iso = ISO.exec(text)
  if (iso) return written(iso[1] ?? '', iso[2], iso[3], zone)
  const compact = COMPACT.exec(text)
  if (!compact) return undefined
  const [, year, month, day, hour, minute, second, offset] = compact
  if (formatCode !== undefined) {
    const format = FORMATS[formatCode]
    const digits = second !== undefined ? 14 : hour !== undefined ? 12 : 8
    if (format?.digits !== digits) return undefined
    if ((format.zone === 'none' && offset !== undefined) || (format.zone === 'must' && offset === undefined))
      return undefined
  }
  return written(`${year}-${month}-${day}`, hour && `${hour}:${minute}:${second ?? '00'}`, offset, zone)
}

/** Characters that are not seen, or that turn the reading direction: none belongs in an identifier. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}/u
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

export const holdsInvisible = (text: string): boolean => INVISIBLE.test(text)
export const holdsControl = (text: string): boolean => CONTROL.test(text)

/** Whether a number is one that wagons carry: 8 digits (1520), 12 digits (UIC) or 7 digits (China). */
export function wagonIdType(number: string): Wagon['idTypeCode'] {
  if (/^\d{8}$/.test(number)) return '1520-8'
  if (/^\d{12}$/.test(number)) return 'UIC-12'
  return /^\d{7}$/.test(number) ? 'CN-7' : undefined
}

export const looksLikeContainer = (number: string): boolean => /^[A-Z]{4}\d{6,7}$/.test(number)

/**
 * A container or wagon number as it is compared everywhere: in capitals, without spaces, hyphens and slashes. What is
 * no such number (a box without an ISO number) stays as it was written.
 */
export function unitNumber(text: string): string {
  const bare = text.replace(/[\s/-]+/g, '').toUpperCase()
  return looksLikeContainer(bare) || wagonIdType(bare) !== undefined ? bare : text
}

/** Consignment notes by rail: UNCL 1001 codes 720 and 722, also with the N that European lists put before them. */
export const isRailNoteType = (typeCode: string): boolean => /^N?72[02]$/.test(typeCode)

/** A station from the parts that a source gives; a code that is neither ESR nor UN/LOCODE becomes its name. */
export function stationFrom(parts: {
  codes: readonly string[]
  name?: NamedText | undefined
  country?: string | undefined
}): Station | undefined {
  const esr = parts.codes.find((code) => /^\d{5,6}$/.test(code))
  const unLocode = parts.codes
    .map((code) => code.replace(/\s+/g, '').toUpperCase())
    .find((code) => /^[A-Z]{2}[A-Z2-9]{3}$/.test(code))
  const other = esr === undefined && unLocode === undefined ? parts.codes[0] : undefined
  const name = parts.name ?? (other === undefined ? undefined : { text: other, language: 'und' })
  return presentOrNone<Station>({ esr, unLocode, name, country: parts.country })
}

/** Whether a party's name says that the bill is negotiable, which makes the holder the consignee. */
export const saysToOrder = (name: string): boolean =>
  /^(to\s+(the\s+)?order\b|凭.{0,4}指示|по\s+приказу(\s|$)|приказу(\s|$))/iu.test(name)
