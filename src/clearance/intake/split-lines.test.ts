import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf } from './held-bytes.ts'
import { type Line, LineSplitter } from './split-lines.ts'

const limits = { lineBytesMax: 16, excerptBytesMax: 4 }

function split(pieces: readonly Buffer[], options = limits): { lines: Line[]; heldMax: number } {
  const splitter = new LineSplitter(options)
  const lines: Line[] = []
  let heldMax = 0
  for (const piece of pieces) {
    lines.push(...splitter.push(piece))
    heldMax = Math.max(heldMax, splitter.heldBytes)
  }
  lines.push(...splitter.end())
  return { lines, heldMax }
}

const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('LineSplitter', () => {
  test('gives each line with its number and its ending, and the last one without an ending', () => {
    const { lines } = split([Buffer.from('a\r\n\nb\nc')])
    expect(lines.map(({ bytes, ending, number }) => [bytes.toString(), ending, number])).toEqual([
      ['a', '\r\n', 1],
      ['', '\n', 2],
      ['b', '\n', 3],
      ['c', '', 4],
    ])
  })

  test('gives no line after the last line end', () => {
    expect(split([Buffer.from('a\n')]).lines).toHaveLength(1)
    expect(split([]).lines).toHaveLength(0)
  })

  test('takes a line of exactly the limit, with either ending, and refuses one byte more', () => {
    const full = 'x'.repeat(16)
    for (const ending of ['\n', '\r\n', '']) {
      expect(split([Buffer.from(full + ending)]).lines[0]?.tooLarge).toBeUndefined()
      expect(split([Buffer.from(`${full}y${ending}`)]).lines[0]?.tooLarge?.length).toBeGreaterThan(16)
    }
  })

  test('keeps the beginning of a line over the limit and the digest of all of it', () => {
    const long = Buffer.from('0123456789'.repeat(50))
    const { lines } = split([Buffer.from(`${long}\nshort\n`)])
    expect(lines[0]?.bytes.toString()).toBe('0123')
    expect(lines[0]?.tooLarge).toEqual({ length: 500, digest: digestOf(long) })
    expect(lines[1]?.bytes.toString()).toBe('short')
  })

  test('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', '\r', '\n', 'é'), maxLength: 30 })),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        (parts, sizes) => {
          const bytes = Buffer.from(parts.join('\n'))
          expect(split(cut(bytes, sizes)).lines).toEqual(split([bytes]).lines)
        },
      ),
    )
  })

  test('holds no more than a line, whatever comes in single bytes', () => {
    const { lines, heldMax } = split(cut(Buffer.from(`${'x'.repeat(100_000)}\nok\n`), [1]))
    expect(lines).toHaveLength(2)
    expect(heldMax).toBeLessThanOrEqual(17)
  })
})
