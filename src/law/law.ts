import { type ClauseRef, type CountryCode, compareDates, Fault, type PlainDate } from '../kernel/index.ts'
import { computeTerm, type Term, type TermFacts } from './compute-term.ts'
import type { Clause, ClauseVersion, Instrument, OpenQuestion, TreatyValue } from './treaty-files.ts'

/** A clause as it reads on one day. */
export interface ClauseOnDate {
  readonly clause: Clause
  readonly text: string
  /** The dated version in force on that day; absent for a clause that was never amended and holds no value. */
  readonly version?: ClauseVersion
}

/** One named value on one day, and whether the treaty says it or we do. */
export interface LawValue {
  readonly value: TreatyValue
  readonly basis: 'treaty' | 'default'
  /** The open question a default answers. */
  readonly question?: number
  readonly clause: ClauseRef
  readonly source: string
}

export interface AgreementBetween {
  readonly instrument: Instrument
  readonly term: Term
}

/**
 * The law as loaded: answers which clause, which value, between whom, on this date.
 *
 * Why: every room cites clauses and takes numbers from here, so that a change of law is a change of data and no rule
 * carries a number of its own. Holds no state and knows no clock: the date is always an argument.
 */
export class Law {
  readonly instruments: readonly Instrument[]
  readonly clauses: readonly Clause[]
  readonly openQuestions: readonly OpenQuestion[]
  private readonly instrumentsById = new Map<string, Instrument>()
  private readonly clausesByRef: ReadonlyMap<ClauseRef, Clause>

  /** Takes what `parseTreaties` has checked; call that instead. */
  constructor(instruments: readonly Instrument[], clauses: readonly Clause[], openQuestions: readonly OpenQuestion[]) {
    this.instruments = instruments
    this.clauses = clauses
    this.openQuestions = openQuestions
    for (const instrument of instruments)
      for (const id of [instrument.id, ...(instrument.formerIds ?? [])]) this.instrumentsById.set(id, instrument)
    this.clausesByRef = new Map(clauses.map((clause) => [clause.id, clause]))
  }

  /** Finds an instrument by its id or one it went by before. */
  findInstrument(id: string): Instrument | undefined {
    return this.instrumentsById.get(id)
  }

  /** @throws Fault `law/instrument-unknown` */
  instrument(id: string): Instrument {
    const instrument = this.findInstrument(id)
    if (!instrument) throw new Fault('law/instrument-unknown', `no instrument ${id}`, { facts: { instrument: id } })
    return instrument
  }

  /** Finds a clause; a reference under a former id of its instrument leads to the same clause. */
  findClause(ref: ClauseRef): Clause | undefined {
    const slash = ref.indexOf('/')
    const instrument = this.findInstrument(ref.slice(0, slash))
    return instrument && this.clausesByRef.get(`${instrument.id}${ref.slice(slash)}`)
  }

  /** @throws Fault `law/clause-unknown` */
  clause(ref: ClauseRef): Clause {
    const clause = this.findClause(ref)
    if (!clause) throw new Fault('law/clause-unknown', `no clause ${ref}`, { facts: { clause: ref } })
    return clause
  }

  /**
   * Reads a clause as of a day.
   *
   * @returns undefined before its first dated version and after a repeal. Whether the instrument itself is in force
   * that day is a question for `computeTerm`.
   */
  clauseOn(ref: ClauseRef, on: PlainDate): ClauseOnDate | undefined {
    const clause = this.clause(ref)
    if (!clause.versions) return { clause, text: clause.text }
    const version = clause.versions.find(
      ({ from, until }) => compareDates(from, on) <= 0 && (until === undefined || compareDates(on, until) <= 0),
    )
    return version && { clause, text: version.text ?? clause.text, version }
  }

  /** Finds a named value of a clause on a day: the treaty's own, else our marked default. */
  value(ref: ClauseRef, name: string, on: PlainDate): LawValue | undefined {
    const { clause, version } = this.clauseOn(ref, on) ?? {}
    if (!clause || !version) return undefined
    const { values, defaults = {}, source } = version
    if (Object.hasOwn(values, name)) return { value: values[name]!, basis: 'treaty', clause: clause.id, source }
    if (!Object.hasOwn(defaults, name)) return undefined
    return { ...defaults[name]!, basis: 'default', clause: clause.id, source }
  }

  /** @throws Fault `law/value-unknown` when there is no such whole number on that day */
  number(ref: ClauseRef, name: string, on: PlainDate): number {
    const value = this.value(ref, name, on)?.value
    if (typeof value !== 'number') throw valueUnknown(ref, name, on)
    return value
  }

  /** @throws Fault `law/value-unknown` when there is no such text on that day */
  text(ref: ClauseRef, name: string, on: PlainDate): string {
    const value = this.value(ref, name, on)?.value
    if (typeof value !== 'string') throw valueUnknown(ref, name, on)
    return value
  }

  /**
   * Lists the instruments that bind two countries on a day, those in doubt included.
   *
   * Why: a case or a disclosure rests on one instrument, and the officer chooses among these.
   * @param facts recorded readings and notices by instrument id
   * @returns left out are drafts, those not yet in force and those that have ended
   */
  between(
    a: CountryCode,
    b: CountryCode,
    on: PlainDate,
    facts: ReadonlyMap<string, TermFacts> = new Map(),
  ): readonly AgreementBetween[] {
    return this.instruments
      .filter(({ sides }) => a !== b && [a, b].every((country) => sides.some((side) => side.country === country)))
      .map((instrument) => ({ instrument, term: computeTerm(this, instrument, on, facts.get(instrument.id)) }))
      .filter(({ term }) => ['in-force', 'uncertain', 'undated'].includes(term.standing))
  }
}

function valueUnknown(clause: ClauseRef, name: string, on: PlainDate): Fault {
  return new Fault('law/value-unknown', `${clause} has no value ${name} of that kind on ${on}`, {
    facts: { clause, name, on },
  })
}
