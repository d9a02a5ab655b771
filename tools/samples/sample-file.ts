import type { HomeDeclaration, HomeRecord } from '../../src/clearance/model.ts'

export type Node = 'KZ-KGD' | 'CN-GACC'

/** What an officer expects the node to decide about one declaration. */
export type Outcome = 'eligible' | 'partial' | 'withheld' | 'held' | 'not-concerned'

/** One record of a sample file with what must become of it. */
export interface Entry {
  readonly record: HomeRecord
  readonly outcome?: Outcome
  /** Why it is not simply eligible: the code that the officer sees. */
  readonly ground?: string
}

export interface SampleFile {
  /** Below samples/. */
  readonly path: string
  readonly text: string
  readonly node: Node
  /** As the intake calls it. */
  readonly format: string
  readonly entries: readonly Entry[]
  /** Refused records: position as the intake counts them, and code. */
  readonly refused?: readonly { readonly position: number; readonly code: string }[]
}

/** A fact put into the samples on purpose: where it stands, and what a person must be shown or must never be. */
export interface Planted {
  readonly id: string
  readonly train: string
  readonly fact: string
  readonly file: string
  /** Position of the record in its file, counted from 1; absent when the whole file is meant. */
  readonly position?: number
  readonly pointer?: string
  readonly subject?: string
  /** `warning`: travels with the record. `quiet`: must colour nothing. `see`: shown where named. `never`: must not cross. */
  readonly effect: 'warning' | 'quiet' | 'see' | 'never'
  readonly code?: string
  readonly must: string
}

export interface LegExpectation {
  readonly train: string
  readonly node: Node
  readonly direction: 'in' | 'out' | 'home'
  readonly leg: {
    readonly trainNumber?: string
    readonly trainIndex?: string
    readonly transferListNumber: string
    readonly transferListDate: string
  }
  readonly gauge: '1435' | '1520'
  readonly from: string
  readonly to: string
  readonly listVersion: number
  readonly wagons: number
  readonly containers: number
  readonly listed: number
  readonly loaded: number
  readonly empty: number
  readonly withData: number
  readonly withoutData: number
  readonly withoutDataUnits: readonly string[]
}

export function declarationEntry(content: HomeDeclaration, outcome: Outcome, ground?: string): Entry {
  return { record: { record: 'declaration', content }, outcome, ...(ground === undefined ? {} : { ground }) }
}

export function plainEntry(record: HomeRecord): Entry {
  return { record }
}
