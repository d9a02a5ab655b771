import { Temporal } from 'temporal-polyfill'

/** A legal date: a calendar day `YYYY-MM-DD`, without a zone. */
export type PlainDate = string
/** An instant in UTC, RFC 3339 with `Z`, for example `2026-11-22T03:00:00.000Z`. */
export type Instant = string

const PLAIN_DATE = /^\d{4}-\d{2}-\d{2}$/

export function isPlainDate(text: string): boolean {
  if (!PLAIN_DATE.test(text)) return false
  try {
    Temporal.PlainDate.from(text, { overflow: 'reject' })
    return true
  } catch {
    return false
  }
}

/** Moves a date by calendar years, months and days; a day that the month lacks becomes its last day. */
export function addToDate(date: PlainDate, by: { years?: number; months?: number; days?: number }): PlainDate {
  return Temporal.PlainDate.from(date).add(by, { overflow: 'constrain' }).toString()
}

/** @returns below 0 when a is before b, 0 when they are the same day, above 0 after */
export function compareDates(a: PlainDate, b: PlainDate): number {
  return Temporal.PlainDate.compare(a, b)
}

/** The calendar day that an instant falls on in an IANA zone. */
export function dateIn(zone: string, instant: Instant): PlainDate {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDate().toString()
}

const UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/

/** An instant as UTC with milliseconds, or undefined when the text is not an RFC 3339 instant with an offset. */
export function parseInstant(text: string): Instant | undefined {
  // Nearly every instant stands in UTC already; one that the calendar has reads the same when it is written back.
  if (UTC.test(text)) {
    const at = Date.parse(text)
    const written = Number.isNaN(at) ? '' : new Date(at).toISOString()
    if (written.slice(0, 19) === text.slice(0, 19)) return written
  }
  try {
    return Temporal.Instant.from(text).toString({ fractionalSecondDigits: 3 })
  } catch {
    return undefined
  }
}

/** A local date-time without an offset, read in an IANA zone; ambiguous times take the earlier reading. */
export function parseLocalDateTime(text: string, zone: string): Instant | undefined {
  try {
    return Temporal.PlainDateTime.from(text)
      .toZonedDateTime(zone, { disambiguation: 'earlier' })
      .toInstant()
      .toString({ fractionalSecondDigits: 3 })
  } catch {
    return undefined
  }
}
