import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { testMessage, testPart } from '../../tests/builders/exchange.ts'
import { entryBytes, frameLimits, readFrame, readPart, writeEntry, writeFrame } from './frame.ts'

const { compact, draft, entry } = testMessage()
const read = (text: string | Uint8Array) => readFrame(Buffer.from(text))

describe('a frame', () => {
  test('admits what was written, message for message', () => {
    const other = testMessage({ seq: 2 }).entry
    const frame = readFrame(writeFrame([entry, other]))
    expect(frame.ok && frame.value).toEqual([entry, other])
  })

  test('admits a message without parts', () => {
    const frame = readFrame(writeFrame([{ message: compact, parts: {} }]))
    expect(frame.ok && frame.value).toEqual([{ message: compact, parts: {} }])
  })

  test('leaves the judgement of a message to its entry: any text stands in a frame', () => {
    const frame = readFrame(writeFrame([{ message: 'no message', parts: { 'No Part': '***' } }]))
    expect(frame.ok && frame.value.length).toBe(1)
  })

  const one = JSON.stringify({ message: 'm', parts: {} })
  test.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a list', `[${one}]`],
    ['no messages', '{"messages":[]}'],
    ['messages as an object', `{"messages":{"0":${one}}}`],
    ['another member', `{"messages":[${one}],"from":"KZ-KGD"}`],
    ['an entry that is a text', '{"messages":["m"]}'],
    ['an entry that is null', '{"messages":[null]}'],
    ['an entry without parts', '{"messages":[{"message":"m"}]}'],
    ['an entry with another member', '{"messages":[{"message":"m","parts":{},"priority":9}]}'],
    ['a message that is a number', '{"messages":[{"message":1,"parts":{}}]}'],
    ['parts as a list', '{"messages":[{"message":"m","parts":["e30"]}]}'],
    ['a part that is no text', '{"messages":[{"message":"m","parts":{"body":{}}}]}'],
    ['duplicate members', `{"messages":[${one}],"messages":[${one}]}`],
    ['a duplicate part', '{"messages":[{"message":"m","parts":{"body":"a","body":"a"}}]}'],
    ['a part named __proto__', '{"messages":[{"message":"m","parts":{"__proto__":"a"}}]}'],
    ['a byte order mark', `\uFEFF{"messages":[${one}]}`],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a lone surrogate', '{"messages":[{"message":"\\udfff","parts":{}}]}'],
    ['five levels', '{"messages":[{"message":"m","parts":{"body":[["e30"]]}}]}'],
    ['501 messages', `{"messages":[${Array.from({ length: 501 }, () => one).join(',')}]}`],
  ])('refuses %s', (_, text) => {
    const frame = read(text)
    expect(!frame.ok && frame.refusal).toEqual({ code: 'exchange/frame-unreadable' })
  })

  test('admits 500 messages, and 4 MiB to the byte', () => {
    expect(read(`{"messages":[${Array.from({ length: 500 }, () => one).join(',')}]}`).ok).toBe(true)
    const text = `{"messages":[${one}]}`
    expect(read(text + ' '.repeat(frameLimits.plainBytesMax - text.length)).ok).toBe(true)
    expect(read(text + ' '.repeat(frameLimits.plainBytesMax - text.length + 1)).ok).toBe(false)
  })

  test('never throws on any bytes or JSON', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readFrame(bytes).ok).toBe(false)
      }),
    )
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(typeof read(JSON.stringify({ messages: value })).ok).toBe('boolean')
      }),
    )
  })
})

describe('a part on the wire', () => {
  test('is salt and bytes in one base64url text', () => {
    const part = testPart('{}')
    const wire = writeEntry(compact, [part]).parts['body'] ?? ''
    expect(Buffer.from(wire, 'base64url')).toEqual(Buffer.concat([part.salt, Buffer.from('{}')]))
    expect(readPart('body', wire)).toEqual({ name: 'body', salt: part.salt, bytes: part.bytes })
  })

  test('may hold no bytes besides its salt, and not less than a salt', () => {
    expect(readPart('body', Buffer.alloc(16).toString('base64url'))?.bytes.length).toBe(0)
    expect(readPart('body', Buffer.alloc(15).toString('base64url'))).toBeUndefined()
    expect(readPart('body', '')).toBeUndefined()
  })

  test.each(['AA==', `${'A'.repeat(22)}\n`, `${'A'.repeat(21)}B`, '+'.repeat(24), 'é'.repeat(24)])(
    'refuses %j',
    (wire) => {
      expect(readPart('body', wire)).toBeUndefined()
    },
  )
})

test('counts for an entry at least the bytes it adds to the frame', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { maxLength: 8 }), (lengths) => {
      const parts = lengths.map((length, index) => ({
        ...testPart('', `part-${index}`),
        bytes: Buffer.alloc(length, 7),
      }))
      const added = Buffer.from(JSON.stringify(writeEntry(compact, parts))).length + 1
      expect(entryBytes(compact, parts)).toBeGreaterThanOrEqual(added)
      expect(entryBytes(compact, parts)).toBeLessThan(added + 64)
    }),
  )
  expect(entryBytes(compact, draft.parts)).toBeGreaterThan(compact.length)
})
