import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ArrayPart, ArraySplitter } from './split-array.ts'

const limits = { lineBytesMax: 64, excerptBytesMax: 8 }

function split(text: string, sizes: readonly number[] = [], options = limits): ArrayPart[] {
  const splitter = new ArraySplitter(options)
  const bytes = Buffer.from(text)
  const parts: ArrayPart[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes.length === 0 ? bytes.length : (sizes[turn % sizes.length] ?? 1)
    parts.push(...splitter.push(bytes.subarray(at, at + size)))
    at += size
  }
  parts.push(...splitter.end())
  return parts
}

const shown = (parts: ArrayPart[]): unknown[] => parts.map(({ bytes, broken }) => broken ?? bytes.toString().trim())

describe('ArraySplitter', () => {
  test('gives the elements as they stood, with the line they begin on', () => {
    const parts = split('[\n {"a": [1, 2]},\n\n "x,]", -1.5e3 ,null]')
    expect(shown(parts)).toEqual(['{"a": [1, 2]}', '"x,]"', '-1.5e3', 'null'])
    expect(parts.map(({ line }) => line)).toEqual([2, 4, 4, 4])
  })

  test('gives nothing for an empty list', () => {
    expect(split('[ ]')).toEqual([])
  })

  test('loses one element to a fault inside its brackets, and to a forgotten mark before a line end', () => {
    expect(shown(split('[{"a":tru},{"b":2}]'))).toEqual(['{"a":tru}', '{"b":2}'])
    expect(shown(split('[{"a":"x\n},{"b":2}]'))).toEqual(['{"a":"x\n}', '{"b":2}'])
  })

  test('says where the list cannot be split any more', () => {
    expect(shown(split('[1 2]'))).toEqual(['1 2'])
    expect(shown(split('[{} {}]'))).toEqual(['{}', 'intake/array-broken'])
    expect(shown(split('[1,]'))).toEqual(['1', 'intake/array-broken'])
    expect(shown(split('[,1]'))).toEqual(['intake/array-broken'])
    expect(shown(split('[1}'))).toEqual(['1', 'intake/array-broken'])
    expect(shown(split('[{"a":[1},{"b":2}]'))).toEqual(['{"a":[1},{"b":2}]', 'intake/array-unfinished'])
    expect(shown(split('[1'))).toEqual(['intake/array-unfinished'])
    expect(shown(split('[1,'))).toEqual(['1', 'intake/array-unfinished'])
    expect(shown(split('[1] {'))).toEqual(['1', 'intake/trailing-content'])
  })

  test('loses only the element that is over the limit', () => {
    const parts = split(`[{"a":"${'x'.repeat(100)}"},{"b":1}]`)
    expect(parts[0]?.tooLarge?.length).toBe(108)
    expect(parts[0]?.bytes.toString()).toBe('{"a":"xx')
    expect(parts[1]?.bytes.toString()).toBe('{"b":1}')
  })

  test('splits what JSON joins, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        fc.constantFrom(undefined, 2),
        (values, sizes, indent) => {
          const text = JSON.stringify(values, null, indent)
          const parts = split(text, sizes, { lineBytesMax: 10_000, excerptBytesMax: 8 })
          expect(parts.map(({ bytes }) => JSON.parse(bytes.toString()))).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  test('gives the same parts of any text however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'[]{},:"\\ \n1a'.split('')), maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (text, sizes) => {
          expect(split(text, sizes)).toEqual(split(text))
        },
      ),
    )
  })
})
