import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lawCodes } from './codes.ts'

test('lists every code this room uses, and uses every code it lists', () => {
  const used = new Set(
    readdirSync(import.meta.dirname)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'codes.ts')
      .flatMap((file) => readFileSync(join(import.meta.dirname, file), 'utf8').match(/(?<=')law\/[a-z-]+(?=')/g) ?? []),
  )
  expect([...used].sort()).toEqual(Object.keys(lawCodes).sort())
})
