import { isUtf8 } from 'node:buffer'
import { JsonNumber, type JsonValue, readJson } from '../../kernel/index.ts'
import type { IntakeCode } from './codes.ts'
import type { IntakeLimits } from './limits.ts'
import { mapConsignmentNote } from './map-consignment-note.ts'
import { mapNctsRelease } from './map-ncts-release.ts'
import { isWagonList, mapWagonList } from './map-wagon-list.ts'
import { readOwnRecord } from './own-record.ts'
import { finishMapping, type ReadRecord, refusedRecord } from './read-record.ts'
import { type HomeContext, Reading } from './reading.ts'
import { treeFromJson } from './source-tree.ts'
import { holdsInvisible } from './values.ts'

const NCTS_MESSAGE = /^(?:[A-Za-z_][\w.-]*:)?(CC\d{3}[A-Z])$/
/** The release for transit, the only message of NCTS that says goods were cleared. */
export const NCTS_RELEASE = 'CC029C'

/**
 * Reads the bytes of one JSON record, strictly and without loss, and maps it by what it holds.
 *
 * @param firstLine line of the submission on which the record begins, so that a fault in it is found in the file
 */
export function readJsonRecord(bytes: Buffer, home: HomeContext, limits: IntakeLimits, firstLine: number): ReadRecord {
  if (bytes.includes(0)) return refusedRecord('json', 'intake/nul-byte')
  if (!isUtf8(bytes)) return refusedRecord('json', 'intake/encoding')
  if (holdsTooMany(bytes, limits.valuesMax))
    return refusedRecord('json', 'intake/too-many-values', { valuesMax: limits.valuesMax })
  const text = bytes.toString('utf8')
  const read = readJson(text, { lengthMax: limits.documentBytesMax, depthMax: limits.depthMax, otherNumbers: 'keep' })
  if (!read.ok) {
    const code = `intake/${read.refusal.code.replace('/', '-')}` as IntakeCode
    return refusedRecord('json', code, placeIn(text, read.refusal.at, firstLine))
  }
  const value = read.value
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber)
    return refusedRecord('json', 'intake/record-not-object')
  const mayHide = text.includes('\\u') || holdsInvisible(text)
  const own = readOwnRecord(value, home, mayHide)
  if (own !== undefined) {
    if (own.problems !== undefined) return { format: 'json', problems: own.problems, notes: [] }
    return { format: 'json', record: own.record, problems: [], notes: [] }
  }
  return readForeign(value, home, limits)
}

function readForeign(value: { [key: string]: JsonValue }, home: HomeContext, limits: IntakeLimits): ReadRecord {
  const keys = Object.keys(value).filter((key) => !key.startsWith('@'))
  const message = keys.length === 1 ? NCTS_MESSAGE.exec(keys[0] ?? '')?.[1] : undefined
  if (message !== undefined) {
    if (message !== NCTS_RELEASE) return refusedRecord('ncts-json', 'intake/message-not-taken', { type: message })
    const root = treeFromJson(value)
    const [node] = root.children
    const reading = new Reading(home, limits)
    if (node === undefined || root.children.length > 1) return refusedRecord('ncts-json', 'intake/type-wrong')
    return finishMapping('ncts-json', reading, mapNctsRelease(node, reading, message), node)
  }
  if (Object.hasOwn(value, 'specifiedConsignment') || Object.hasOwn(value, 'exchangedDocument')) {
    const root = treeFromJson(value)
    const reading = new Reading(home, limits)
    if (isWagonList(root)) return finishMapping('unece-wagon-list', reading, mapWagonList(root, reading), root)
    return finishMapping('unece-consignment-note', reading, mapConsignmentNote(root, reading), root)
  }
  const event = value['eventType']
  if (typeof event === 'string' && Object.hasOwn(value, 'eventCreatedDateTime'))
    return refusedRecord('json', 'intake/message-not-taken', { type: `DCSA ${event.slice(0, 20)}` })
  return refusedRecord('json', 'intake/record-unknown')
}

/** Counts the marks that begin or separate values, before any value is made. */
function holdsTooMany(bytes: Buffer, max: number): boolean {
  if (bytes.length <= max) return false
  let count = 0
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) count += 1
  return count > max
}

/** Line and column, both 1-based, of a place in a text. */
function placeIn(text: string, at: number, firstLine: number): { line: number; column: number } {
  const before = text.slice(0, at)
  const lastLine = before.lastIndexOf('\n') + 1
  return { line: firstLine + before.split('\n').length - 1, column: at - lastLine + 1 }
}
