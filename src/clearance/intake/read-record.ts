import type { Problem } from '../../kernel/index.ts'
import type { HomeRecord } from '../model.ts'
import type { IntakeCode } from './codes.ts'
import type { IntakeFormat } from './entry.ts'
import { checkMapped } from './own-record.ts'
import type { Reading } from './reading.ts'
import type { SourceNode } from './source-tree.ts'

/** What became of the bytes of one record. */
export interface ReadRecord {
  readonly format: IntakeFormat
  readonly record?: HomeRecord
  readonly problems: readonly Problem[]
  readonly notes: readonly Problem[]
}

export function refusedRecord(format: IntakeFormat, code: IntakeCode, facts?: Problem['facts']): ReadRecord {
  return { format, problems: [facts === undefined ? { code, pointer: '' } : { code, pointer: '', facts }], notes: [] }
}

/**
 * Ends a mapping: what it made is checked against the model once more, so that nothing leaves the intake which the
 * model does not know, and what the record does not carry is counted.
 */
export function finishMapping(
  format: IntakeFormat,
  reading: Reading,
  record: HomeRecord | undefined,
  root?: SourceNode,
): ReadRecord {
  if (root && record) reading.countNotCarried(root)
  const notes = reading.notes.listed
  if (record === undefined || reading.problems.some) return { format, problems: reading.problems.all(), notes }
  const { problems } = checkMapped(record.record, record.content, '')
  return problems === undefined ? { format, record, problems: [], notes } : { format, problems, notes }
}
