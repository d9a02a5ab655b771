import type { HomeRecord } from '../../src/clearance/model.ts'

/** Members whose decimals some national systems write as JSON numbers and others as text; intake takes both. */
const DECIMALS = new Set([
  'grossMass',
  'netMass',
  'tareMass',
  'totalGrossMass',
  'totalNetMass',
  'massAfter',
  'massAtReloading',
  'value',
])

export interface JsonStyle {
  /** Decimals as JSON numbers instead of text. */
  readonly numbers?: boolean
  readonly indent?: number
}

/** Writes JSON with the decimals as this sample's system would write them; no number passes through a double. */
export function toJson(value: unknown, style: JsonStyle = {}, depth = 0, key = ''): string {
  const step = style.indent === undefined ? '' : `\n${' '.repeat(style.indent * (depth + 1))}`
  const end = style.indent === undefined ? '' : `\n${' '.repeat(style.indent * depth)}`
  const space = style.indent === undefined ? '' : ' '
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[${step}${value.map((item) => toJson(item, style, depth + 1)).join(`,${step}`)}${end}]`
  }
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value).filter(([, member]) => member !== undefined)
    if (members.length === 0) return '{}'
    const written = members.map(
      ([name, member]) => `${JSON.stringify(name)}:${space}${toJson(member, style, depth + 1, name)}`,
    )
    return `{${step}${written.join(`,${step}`)}${end}}`
  }
  if (style.numbers && typeof value === 'string' && DECIMALS.has(key) && /^\d+(\.\d+)?$/.test(value)) return value
  return JSON.stringify(value)
}

export function ndjson(records: readonly HomeRecord[], style: JsonStyle = {}): string {
  return records.map((record) => `${toJson(record, style)}\n`).join('')
}

export function jsonArray(records: readonly HomeRecord[], style: JsonStyle = {}): string {
  return `[\n${records.map((record) => toJson(record, style)).join(',\n')}\n]\n`
}

export function jsonObject(record: HomeRecord, style: JsonStyle = {}): string {
  return `${toJson(record, { indent: 2, ...style })}\n`
}
