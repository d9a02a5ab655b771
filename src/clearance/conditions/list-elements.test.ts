import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { Amount, NamedText, Station } from '../model.ts'
import { listElements, publishedSchemas } from './index.ts'

describe('listElements', () => {
  test('lists parents before members, in the order of the schema, with a star for each place of an array', () => {
    const schema = Type.Object({
      id: Type.String(),
      units: Type.Optional(Type.Array(Type.Object({ number: Type.String(), tags: Type.Array(Type.String()) }))),
    })
    expect(listElements(schema).map(({ path, presence }) => [path, presence])).toEqual([
      ['/id', 'mandatory'],
      ['/units', 'optional'],
      ['/units/*/number', 'mandatory'],
      ['/units/*/tags', 'mandatory'],
    ])
  })

  test('takes a text with its language and an amount with its currency as one element', () => {
    const schema = Type.Object({ name: NamedText, price: Type.Optional({ ...Amount, 'x-wcoId': '112' }) })
    expect(listElements(schema).map(({ path, wcoId }) => [path, wcoId])).toEqual([
      ['/name', null],
      ['/price', '112'],
    ])
  })

  test('does not call a member separable when its group needs one of them', () => {
    const elements = listElements(Type.Object({ at: Type.Optional(Station) }))
    expect(elements.filter(({ separable }) => separable).map(({ path }) => path)).toEqual(['/at'])
  })

  test('names no element of a body twice', () => {
    for (const schema of Object.values(publishedSchemas)) {
      const paths = listElements(schema).map(({ path }) => path)
      expect(new Set(paths).size).toBe(paths.length)
    }
  })

  test('gives each WCO id together with the version it was seen in', () => {
    for (const schema of Object.values(publishedSchemas))
      for (const { wcoId, wcoDmVersion } of listElements(schema)) expect(wcoId === null).toBe(wcoDmVersion === null)
  })
})
