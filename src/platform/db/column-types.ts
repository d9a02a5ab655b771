import pg from 'pg'
import { assert } from '../../kernel/index.ts'

const { builtins } = pg.types

/** A count or position. All of ours are far below 2^53; one that is not must not be rounded silently. */
function readInteger(text: string): number {
  const value = Number(text)
  assert(Number.isSafeInteger(value), 'a bigint column holds a safe integer')
  return value
}

/** `2026-11-22 03:00:00.12+00`, as a session in UTC writes it, to `2026-11-22T03:00:00.120Z`. */
export function readInstant(text: string): string {
  const seconds = text.slice(0, 19).replace(' ', 'T')
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  return `${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`
}

/**
 * How columns become values: instants and dates stay text as the kernel has them, `bigint` is a number, `numeric`
 * stays decimal text, `bytea` is a Buffer, `jsonb` is parsed.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary') {
      if (oid === builtins.INT8) return readInteger
      if (oid === builtins.TIMESTAMPTZ) return readInstant
      if (oid === builtins.DATE) return (text: string) => text
    }
    return pg.types.getTypeParser(oid, format as 'text')
  }) as typeof pg.types.getTypeParser,
}
