import type { Decision, Problem } from '../../kernel/index.ts'
import type { HomeRecord } from '../model.ts'

/** The documented formats, and what is said of a record when it is in none of them. */
export type IntakeFormat =
  | 'json'
  | 'csv-declarations'
  | 'csv-railway-list'
  | 'wco-xml'
  | 'ncts-xml'
  | 'ncts-json'
  | 'unece-consignment-note'
  | 'unece-wagon-list'
  | 'xml'
  | 'unknown'

/** One record of a submission, taken or refused. */
export interface IntakeEntry {
  /** 1-based number of the record within the submission; refused ones count, blank lines do not. */
  readonly position: number
  /** 1-based line on which the record begins, where the format has lines. */
  readonly line?: number
  readonly format: IntakeFormat
  /** The bytes of the record as they stood; of one that is over its size limit, only the beginning. */
  readonly original: Uint8Array
  /** SHA-256, hex, of all bytes of the record, also of those that `original` leaves out. */
  readonly digest: string
  /** Set when `original` is only the beginning: how many bytes the record has. */
  readonly originalLength?: number
  readonly result: Decision<HomeRecord, { readonly problems: readonly Problem[] }>
  /** What was read differently than it stood, or is not carried. Nothing here refuses. */
  readonly notes: readonly Problem[]
}
