import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { clearanceCodes } from './codes.ts'

const files = readdirSync(new URL('.', import.meta.url)).filter((name) => /(?<!\.test|^codes)\.ts$/.test(name))
const source = [...files, 'reference/reference.ts', 'reference/read-reference.ts']
  .map((name) => readFileSync(new URL(name, import.meta.url), 'utf8'))
  .join('\n')

test('every published code is given somewhere in the room', () => {
  /** Put together in one place from the kind of unit. */
  const composed = ['clearance/container-not-listed', 'clearance/wagon-not-listed']
  const unused = Object.keys(clearanceCodes).filter((code) => !source.includes(`'${code}'`) && !composed.includes(code))
  expect(unused).toEqual([])
})

test('every code that a file of the room gives is published', () => {
  const given = new Set(source.match(/'clearance\/[a-z0-9-]+'/g)?.map((quoted) => quoted.slice(1, -1)))
  expect([...given].filter((code) => !Object.hasOwn(clearanceCodes, code))).toEqual([])
})
