import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { recordSchemas } from '../parse-body.ts'
import { intakeCodes } from './codes.ts'
import { declarationsTable, railwayListTable } from './csv-tables.ts'

const folder = new URL('./', import.meta.url)
const manual = readFileSync(new URL('../../../docs/INTAKE.md', import.meta.url), 'utf8')
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== 'codes.ts')
  .map((name) => readFileSync(new URL(name, folder), 'utf8'))
  .join('\n')

/** The cells of the first column of the tables under a heading, each name by itself. */
const namedUnder = (heading: string): string[] => {
  const section = manual.split(heading)[1]?.split('\n#')[0] ?? ''
  const firstCells = section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|')[1] ?? '')
  return firstCells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
}

test('the manual explains every code of the list and no other, in the words of the list', () => {
  expect(namedUnder('\n## Codes').sort()).toEqual(Object.keys(intakeCodes).sort())
  for (const { means } of Object.values(intakeCodes)) expect(manual).toContain(means)
})

test('every code of the list is used', () => {
  const jsonCodes = [
    'syntax',
    'too-deep',
    'duplicate-key',
    'forbidden-key',
    'lossy-number',
    'lone-surrogate',
    'too-large',
  ]
  const derived = new Set(jsonCodes.map((name) => `intake/json-${name}`))
  const unused = Object.keys(intakeCodes).filter((code) => !derived.has(code) && !sources.includes(`'${code}'`))
  expect(unused).toEqual([])
})

test('the manual names every column of the tables and no other', () => {
  expect(namedUnder('\n### Declarations: a row').sort()).toEqual([...declarationsTable.columns].sort())
  expect(namedUnder('\n### Transfer list or consist').sort()).toEqual([...railwayListTable.columns].sort())
})

test('the manual names every record of our own format and every member of it', () => {
  interface Shape {
    readonly properties?: Readonly<Record<string, Shape>>
    readonly items?: Shape
  }
  const membersOf = ({ properties = {}, items }: Shape): string[] => [
    ...Object.entries(properties).flatMap(([name, inner]) => [name, ...membersOf(inner)]),
    ...(items ? membersOf(items) : []),
  ]
  const [, section = ''] = /\n## Our own JSON\n([\s\S]*?)\n## /.exec(manual) ?? []
  const named = new Set([...section.matchAll(/`([A-Za-z-]+)`/g)].map(([, name]) => name))
  const expected = Object.entries(recordSchemas).flatMap(([record, schema]) => [record, ...membersOf(schema as Shape)])
  expect([...new Set(expected)].filter((name) => !named.has(name))).toEqual([])
  for (const [, example = ''] of section.matchAll(/`(t\d\/[\w.-]+)`/g))
    expect(existsSync(new URL(`../../../samples/trains/${example}`, import.meta.url)), example).toBe(true)
})
