import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, JsonNumber, readJson } from './strict-json.ts'

const limits = { lengthMax: 10_000, depthMax: 8, otherNumbers: 'keep' } as const
const signed = { ...limits, otherNumbers: 'refuse' } as const
const codeOf = (text: string, within: Parameters<typeof readJson>[1] = limits): string => {
  const read = readJson(text, within)
  return read.ok ? 'read' : read.refusal.code
}

describe('the strict JSON reader', () => {
  it('reads what JSON.parse reads, value for value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), fc.nat(4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        fc.pre(!/__proto__/.test(text))
        const read = readJson(text, { ...limits, lengthMax: 1_000_000 })
        expect(read.ok).toBe(true)
        const plain = JSON.parse(canonicalJson(JSON.parse(text)), (_key, each) => each)
        // Numbers a double cannot hold exactly are kept as text, so they are compared as numbers.
        const back = JSON.parse(
          JSON.stringify(read.ok ? read.value : null, (_key, each) => (each instanceof JsonNumber ? each.text : each)),
        )
        expect(loosen(back)).toEqual(loosen(plain))
      }),
    )
  })

  it('never throws and never reads what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: fc.constantFrom(...'{}[]":,0129.eE+-tfn\\u "') }), (text) => {
        const read = readJson(text, limits)
        if (!read.ok) return
        expect(() => JSON.parse(text)).not.toThrow()
      }),
      { numRuns: 5000 },
    )
  })

  it('refuses duplicate keys, equal values too, at every depth and however they are written', () => {
    expect(codeOf('{"a":1,"a":1}')).toBe('json/duplicate-key')
    expect(codeOf('{"x":{"a":1,"b":2,"a":3}}')).toBe('json/duplicate-key')
    expect(codeOf('{"a":1,"\\u0061":2}')).toBe('json/duplicate-key')
  })

  it('refuses __proto__ and lets constructor be an ordinary key', () => {
    expect(codeOf('{"__proto__":{"polluted":true}}')).toBe('json/forbidden-key')
    expect(codeOf('{"\\u005f_proto__":1}')).toBe('json/forbidden-key')
    expect(codeOf('{"constructor":1,"toString":2,"hasOwnProperty":3}')).toBe('read')
  })

  it('refuses lone surrogates in values and keys and takes pairs', () => {
    expect(codeOf('"\\ud800"')).toBe('json/lone-surrogate')
    expect(codeOf('{"\\udfff":1}')).toBe('json/lone-surrogate')
    expect(codeOf('"\\ud83d\\ude82"')).toBe('read')
  })

  it('refuses nesting deeper than the limit without a stack overflow', () => {
    expect(codeOf('['.repeat(8) + ']'.repeat(8))).toBe('read')
    expect(codeOf('['.repeat(9) + ']'.repeat(9))).toBe('json/too-deep')
    expect(codeOf('['.repeat(5000))).toBe('json/too-deep')
    expect(codeOf('{"a":'.repeat(1500))).toBe('json/too-deep')
  })

  it('keeps numbers exactly and refuses those that nobody can mean', () => {
    const read = readJson('[1, -7, 0.10, 12345678901234567890, 1e3, -0]', limits)
    expect(read).toEqual({
      ok: true,
      value: [
        1,
        -7,
        new JsonNumber('0.10'),
        new JsonNumber('12345678901234567890'),
        new JsonNumber('1e3'),
        new JsonNumber('-0'),
      ],
    })
    expect(codeOf('1e400')).toBe('json/lossy-number')
    expect(codeOf(`0.${'1'.repeat(60)}`)).toBe('json/lossy-number')
  })

  it('takes only safe integers in signed objects', () => {
    expect(codeOf('9007199254740991', signed)).toBe('read')
    expect(codeOf('9007199254740992', signed)).toBe('json/lossy-number')
    expect(codeOf('1.0', signed)).toBe('json/lossy-number')
    expect(codeOf('1e2', signed)).toBe('json/lossy-number')
    expect(codeOf('-0', signed)).toBe('json/lossy-number')
  })

  it('refuses what is not JSON: other literals, leading zeros, trailing commas, comments, control characters, a second value', () => {
    for (const text of [
      '',
      ' ',
      'NaN',
      'Infinity',
      '01',
      '1.',
      '.5',
      '+1',
      '[1,]',
      '{"a":1,}',
      '{a:1}',
      "'a'",
      '// x\n1',
      '"\n"',
      '"\\x"',
      '"\\u12"',
      '1 2',
      '{}{}',
      '\ufeff1',
      'nul',
      'truee',
    ])
      expect([text, codeOf(text)]).toEqual([text, 'json/syntax'])
  })

  it('refuses a text over its length before reading it', () => {
    expect(readJson(`"${'a'.repeat(10_000)}"`, limits)).toEqual({
      ok: false,
      refusal: { code: 'json/too-large', at: 10_000 },
    })
  })
})

describe('canonical JSON', () => {
  it('gives equal text for equal content, whatever the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean())), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(members))
      }),
    )
  })

  it('sorts members, writes no space and leaves out what is undefined', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'ü' }], a: undefined, A: true })).toBe(
      '{"A":true,"b":[1,{"c":"ü","d":null}]}',
    )
  })

  it('tells different contents apart', () => {
    expect(canonicalJson({ a: '1' })).not.toBe(canonicalJson({ a: 1 }))
  })
})

/** Numbers as doubles, so that a text kept exactly equals the double it was written from. */
function loosen(value: unknown): unknown {
  if (typeof value === 'string' && /^-?\d[\d.eE+-]*$/.test(value)) return Number(value)
  if (Array.isArray(value)) return value.map(loosen)
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, loosen(each)]))
  return value === 0 ? 0 : value
}
