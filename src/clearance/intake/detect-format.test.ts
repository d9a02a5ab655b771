import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readHeader } from './csv-rows.ts'
import { detectSplitting } from './detect-format.ts'

const isHeader = (line: string): boolean => readHeader(line) !== undefined
const detect = (content: string | Buffer, isAll = true) => detectSplitting(Buffer.from(content), isAll, isHeader)

describe('detectSplitting', () => {
  test.each([
    ['', 'empty'],
    ['\ufeff \r\n\t', 'empty'],
    ['<?xml version="1.0"?><a/>', 'xml'],
    ['\ufeff\n<a/>', 'xml'],
    ['{"a":1}', 'json-lines'],
    ['\n\n{"a":1}\n{"b":2}\n', 'json-lines'],
    ['{"a":1}\n}', 'json-lines'],
    ['{\n  "a": 1\n}', 'json-document'],
    ['{\n"a": [\n{"b": 1}\n]\n}', 'json-document'],
    ['{\n  "a": [\n  {"b": 1},\n  {"b": 2}\n  ]\n}', 'json-document'],
    ['[{"a":1},{"a":2}]', 'json-array'],
    ['[\n{"a":1},\n{"a":2}\n]', 'json-array'],
    ['[\n{"a":1}\n,\n{"a":2}\n]', 'json-array'],
    ['wagonNumber,containerId,from,to\n1,2,3,4', 'csv'],
    ['\ufeff"Declaration Id";commodity_code\n', 'csv'],
    ['name,age\nx,1\n', 'unknown'],
    ['just a sentence from nobody to nobody', 'unknown'],
    ['PK\u0003\u0004', 'unknown'],
    ['<3 hearts', 'unknown'],
  ])('takes %j for %s', (content, expected) => {
    expect(detect(content)).toBe(expected)
  })

  test('knows UTF-16 by its byte order mark', () => {
    expect(detect(Buffer.from('\ufeff{"a":1}', 'utf16le'))).toBe('utf-16')
    expect(detect(Buffer.from([0xfe, 0xff, 0, 0x7b]))).toBe('utf-16')
  })

  test('finds the good lines behind a bad first one', () => {
    expect(detect('{"a":\n{"b":2}\n{"c":3}\n')).toBe('json-lines')
    expect(detect('\u0000\u0001garbage\n{"b":2}\n')).toBe('json-lines')
    expect(detect('[1,\n{"b":2}\n{"c":3}')).toBe('json-lines')
  })

  test('asks for more until the content tells, and then never changes its answer', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom('{"a":1}', '{', '}', '[', ']', ',', '  {"b":2}', '"x": 1', '<a/>', 'to,from', 'junk', ''),
          { maxLength: 8 },
        ),
        fc.boolean(),
        (lines, crlf) => {
          const all = Buffer.from(lines.join(crlf ? '\r\n' : '\n'))
          const final = detect(all)
          for (let length = 0; length <= all.length; length += 1) {
            const early = detect(all.subarray(0, length), false)
            if (early !== undefined) expect(early).toBe(final)
          }
        },
      ),
    )
  })
})
