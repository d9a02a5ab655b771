import { addToDate, type ClauseRef, type CountryCode, compareDates, type PlainDate } from '../kernel/index.ts'
import type { Law } from './law.ts'
import type { Instrument, TermModel } from './treaty-files.ts'

/** A side's notice that it wants to end the instrument. `effectiveOn`: an official last day, which overrides ours. */
export interface TerminationNotice {
  readonly side: CountryCode
  readonly notifiedOn: PlainDate
  /** The reference of the diplomatic note. */
  readonly reference: string
  readonly effectiveOn?: PlainDate
}

/** What people have put on record about one instrument's term. */
export interface TermFacts {
  /** The id of the reading that two authorised persons recorded. */
  readonly recordedReading?: string
  readonly notices?: readonly TerminationNotice[]
}

/** A period of a renewing instrument; both days belong to it. */
export interface TermPeriod {
  /** 1 for the first period, 2 for the first renewal. */
  readonly number: number
  readonly startsOn: PlainDate
  readonly endsOn: PlainDate
  /** The last day on which notice is in time. */
  readonly noticeUntil: PlainDate
  /** The day by which our own notice should go out: in time by either way of counting days. */
  readonly ownNoticeBy: PlainDate
}

export interface ReadingOutcome {
  readonly id: string
  readonly languages: readonly string[]
  readonly inForce: boolean
  /** The last day by this reading; absent while it goes on being renewed. */
  readonly endsOn?: PlainDate
}

export type TermWarning =
  | { readonly code: 'law/term-runs-uncertain'; readonly clause: ClauseRef; readonly endedOn: PlainDate }
  | { readonly code: 'law/term-readings-part'; readonly clause: ClauseRef; readonly endsOn: PlainDate }
  | {
      readonly code: 'law/notice-given'
      readonly clause: ClauseRef
      readonly side: CountryCode
      readonly endsOn: PlainDate
    }
  | {
      readonly code: 'law/notice-late'
      readonly clause: ClauseRef
      readonly side: CountryCode
      readonly endsOn: PlainDate
    }

/** `undated`: nobody has entered the day of entry into force. `uncertain`: the texts differ and no reading is recorded. */
export type TermStanding = 'draft' | 'undated' | 'not-yet' | 'in-force' | 'uncertain' | 'ended'

export interface Term {
  readonly instrument: string
  readonly on: PlainDate
  readonly standing: TermStanding
  readonly inForceOn?: PlainDate
  /** Every period up to the one that runs, and the one after it, on the longest reading. */
  readonly periods: readonly TermPeriod[]
  /** The period that runs on that day, on the longest reading. */
  readonly period?: TermPeriod
  readonly readings: readonly ReadingOutcome[]
  /** The reading that is followed: the recorded one, or the only one there is. */
  readonly operativeReading?: string
  /** The last day, where it is known: by notice, or by the reading that is followed. */
  readonly endsOn?: PlainDate
  readonly warnings: readonly TermWarning[]
}

/**
 * Computes how an instrument stands on a day: its periods, its last day of notice, and each reading of its term.
 *
 * Why: the gate, the reminders and the profile page must give one answer. Periods are counted from the day of entry,
 * never from the previous end, so that 29 February comes back in leap years; a day that a month lacks becomes its last.
 * The first day is not counted: a term of three years from 4 February ends with 4 February, that day included.
 * @param facts the reading on record and the notices given
 * @law STOP-2021/9.1, STOP-2021/9.2-r1, STOP-2021/9.2-r2, STOP-2021/9.2-r3, STOP-2021/F.1, STOP-2021/F.2
 */
export function computeTerm(law: Law, instrument: Instrument, on: PlainDate, facts: TermFacts = {}): Term {
  const { entry, term } = instrument
  const base = { instrument: instrument.id, on, periods: [], readings: [], warnings: [] }
  if (entry.inForceOn === null) return computeUndated(base, instrument.standing, facts.notices ?? [])
  const known = { ...base, inForceOn: entry.inForceOn }
  if (compareDates(on, entry.inForceOn) < 0) return { ...known, standing: 'not-yet' }
  if (term.model === 'perpetual') return { ...known, standing: 'in-force' }
  return term.model === 'renewing'
    ? computeRenewing(law, term, known, facts)
    : computeIndefinite(law, term, known, facts.notices ?? [])
}

/**
 * Decides whether a clause binds on the day the term was computed for.
 *
 * Why: an agreement that has ended, or goes by another name, keeps its duties of confidence; what was received under
 * it stays protected.
 * @law STOP-2021/6.1-r1
 */
export function isBinding(law: Law, ref: ClauseRef, term: Term): boolean {
  if (!law.clauseOn(ref, term.on)) return false
  if (term.standing === 'in-force' || term.standing === 'uncertain' || term.standing === 'undated') return true
  const survivors = law.instrument(term.instrument).surviving?.clauses ?? []
  return term.standing === 'ended' && survivors.includes(law.clause(ref).id)
}

/** Of an instrument without a first day only an official last day can be known. */
function computeUndated(
  base: Omit<Term, 'standing'>,
  standing: Instrument['standing'],
  notices: readonly TerminationNotice[],
): Term {
  if (standing === 'draft') return { ...base, standing }
  const [endsOn] = notices.flatMap(({ effectiveOn }) => effectiveOn ?? []).sort(compareDates)
  if (endsOn === undefined) return { ...base, standing: 'undated' }
  return { ...base, standing: compareDates(base.on, endsOn) > 0 ? 'ended' : 'undated', endsOn }
}

type Renewing = Extract<TermModel, { model: 'renewing' }>
type Indefinite = Extract<TermModel, { model: 'indefinite' }>
type Known = Pick<Term, 'instrument' | 'on' | 'warnings' | 'periods' | 'readings'> & { readonly inForceOn: PlainDate }

interface NoticeEffect {
  readonly notice: TerminationNotice
  readonly endsOn: PlainDate
  readonly late: boolean
}

function computeRenewing(law: Law, model: Renewing, known: Known, facts: TermFacts): Term {
  const { on } = known
  const { readings } = model
  const notices = (facts.notices ?? []).filter(({ notifiedOn }) => compareDates(notifiedOn, on) <= 0)
  const renewalsMax = readings.some((reading) => reading.renewalsMax === null)
    ? Number.POSITIVE_INFINITY
    : Math.max(...readings.map((reading) => reading.renewalsMax ?? 0))
  const periods = listPeriods(law, model, known.inForceOn, on, renewalsMax)
  const period = periods.find(
    ({ startsOn, endsOn }) => compareDates(startsOn, on) <= 0 && compareDates(on, endsOn) <= 0,
  )

  const effect = earliest(notices.map((notice) => effectOf(notice, periods)))
  const outcomes = readings.map(({ id, languages, renewalsMax: renewals }): ReadingOutcome => {
    const endsOn = earlierOf(renewals === null ? undefined : periods[renewals]?.endsOn, effect?.endsOn)
    const inForce = endsOn === undefined || compareDates(on, endsOn) <= 0
    return { id, languages, inForce, ...(endsOn !== undefined && { endsOn }) }
  })
  const followed =
    outcomes.length === 1 ? outcomes[0] : outcomes.find((outcome) => outcome.id === facts.recordedReading)
  const standing = followed
    ? followed.inForce
      ? 'in-force'
      : 'ended'
    : outcomes.every(({ inForce }) => inForce)
      ? 'in-force'
      : outcomes.some(({ inForce }) => inForce)
        ? 'uncertain'
        : 'ended'
  const agreed = outcomes.every(({ endsOn }) => endsOn === outcomes[0]?.endsOn) ? outcomes[0] : undefined
  const endsOn = (followed ?? agreed)?.endsOn

  const warnings: TermWarning[] = []
  const firstEnd = outcomes.reduce<PlainDate | undefined>((end, outcome) => earlierOf(end, outcome.endsOn), undefined)
  if (standing === 'uncertain' && firstEnd !== undefined)
    warnings.push({ code: 'law/term-runs-uncertain', clause: model.renewal, endedOn: firstEnd })
  if (!followed && !agreed && standing === 'in-force' && period && period.endsOn === firstEnd)
    if (compareDates(period.noticeUntil, on) <= 0)
      warnings.push({ code: 'law/term-readings-part', clause: model.renewal, endsOn: period.endsOn })
  if (effect && standing !== 'ended') {
    const said = { clause: model.notice, side: effect.notice.side, endsOn: effect.endsOn }
    warnings.push({ code: effect.late ? 'law/notice-late' : 'law/notice-given', ...said })
  }
  return {
    ...known,
    standing,
    periods,
    ...(period && { period }),
    readings: outcomes,
    ...(followed && { operativeReading: followed.id }),
    ...(endsOn !== undefined && { endsOn }),
    warnings,
  }
}

/** Lists the periods up to the one that holds the day, and one more, as far as any reading goes. */
function listPeriods(
  law: Law,
  model: Renewing,
  inForceOn: PlainDate,
  on: PlainDate,
  renewalsMax: number,
): readonly TermPeriod[] {
  const periods: TermPeriod[] = []
  let startsOn = inForceOn
  let years = 0
  for (let number = 1; number <= renewalsMax + 1; number += 1) {
    years +=
      number === 1 ? law.number(model.term, 'termYears', startsOn) : law.number(model.renewal, 'renewalYears', startsOn)
    const excludeFirst = law.value(model.term, 'dayCount', startsOn)?.value !== 'include-first-day'
    const anniversary = addToDate(inForceOn, { years })
    const endsOn = excludeFirst ? anniversary : addToDate(anniversary, { days: -1 })
    const noticeUntil = addToDate(endsOn, { months: -law.number(model.notice, 'noticeMonths', startsOn) })
    const ownNoticeBy = excludeFirst ? addToDate(noticeUntil, { days: -1 }) : noticeUntil
    periods.push({ number, startsOn, endsOn, noticeUntil, ownNoticeBy })
    if (compareDates(on, startsOn) < 0) break
    startsOn = addToDate(endsOn, { days: 1 })
  }
  return periods
}

/**
 * A notice ends the first period for which it is in time.
 *
 * Open: no text says what a late notice does. It is taken as early notice for the next period, and always shown.
 */
function effectOf(notice: TerminationNotice, periods: readonly TermPeriod[]): NoticeEffect | undefined {
  const running = periods.find(({ endsOn }) => compareDates(notice.notifiedOn, endsOn) <= 0)
  if (!running) return undefined
  const late = compareDates(notice.notifiedOn, running.noticeUntil) > 0
  const ended = late ? periods.find(({ number }) => number === running.number + 1) : running
  const endsOn = notice.effectiveOn ?? (ended ?? running).endsOn
  return { notice, endsOn, late }
}

function computeIndefinite(law: Law, model: Indefinite, known: Known, all: readonly TerminationNotice[]): Term {
  const { on } = known
  const effect = earliest(
    all
      .filter(({ notifiedOn }) => compareDates(notifiedOn, on) <= 0)
      .map((notice): NoticeEffect => {
        const months = law.number(model.notice, 'noticeMonths', notice.notifiedOn)
        return { notice, late: false, endsOn: notice.effectiveOn ?? addToDate(notice.notifiedOn, { months }) }
      }),
  )
  if (!effect) return { ...known, standing: 'in-force' }
  const { endsOn } = effect
  if (compareDates(on, endsOn) > 0) return { ...known, standing: 'ended', endsOn }
  const warning: TermWarning = { code: 'law/notice-given', clause: model.notice, side: effect.notice.side, endsOn }
  return { ...known, standing: 'in-force', endsOn, warnings: [warning] }
}

function earliest(effects: ReadonlyArray<NoticeEffect | undefined>): NoticeEffect | undefined {
  return effects.filter((effect) => effect !== undefined).sort((a, b) => compareDates(a.endsOn, b.endsOn))[0]
}

function earlierOf(a: PlainDate | undefined, b: PlainDate | undefined): PlainDate | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return compareDates(a, b) <= 0 ? a : b
}
