import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aHomeDeclaration } from '../../../tests/builders/clearance.ts'
import { bytesOf, codesOf, home, inPieces, readAll } from '../../../tests/builders/intake.ts'
import { intakeCodes } from './codes.ts'
import { readSubmission, SubmissionReader } from './read-submission.ts'

const formats = new URL('../../../samples/formats/', import.meta.url)
const samples = readdirSync(formats)
  .filter((name) => !name.endsWith('.md'))
  .map((name) => readFileSync(new URL(name, formats)))

const declaration = (id: string): string => {
  const valid = aHomeDeclaration()
  return JSON.stringify({ record: 'declaration', content: { ...valid, declaration: { ...valid.declaration, id } } })
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const idsOf = (entries: Awaited<ReturnType<typeof readAll>>) =>
  entries.map((entry) =>
    entry.result.ok && entry.result.value.record === 'declaration'
      ? entry.result.value.content.declaration.id
      : codesOf(entry)[0],
  )

describe('records of a submission', () => {
  test('are numbered from 1, with their line, their bytes and the digest of them', async () => {
    const lines = [declaration('A'), 'broken', declaration('B')]
    const entries = await readAll(`\ufeff${lines.join('\r\n')}\r\n\r\n`)
    expect(entries.map(({ position, line }) => [position, line])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ])
    expect(idsOf(entries)).toEqual(['A', 'intake/json-syntax', 'B'])
    for (const [at, entry] of entries.entries()) {
      expect(Buffer.from(entry.original).toString()).toBe(lines[at])
      expect(entry.digest).toBe(sha256(bytesOf(lines[at] ?? '')))
    }
  })

  test('are the same of lines, of a list, and of a list over many lines', async () => {
    const records = [declaration('A'), declaration('B')]
    const pretty = JSON.stringify(
      records.map((text) => JSON.parse(text)),
      null,
      2,
    )
    const [lines, list, long] = [records.join('\n'), `[${records.join(',')}]`, pretty]
    const expected = (await readAll(lines)).map(({ result }) => result)
    expect((await readAll(list)).map(({ result }) => result)).toEqual(expected)
    expect((await readAll(long)).map(({ result }) => result)).toEqual(expected)
    expect((await readAll(JSON.stringify(JSON.parse(records[0] ?? ''), null, 2)))[0]?.result).toEqual(expected[0])
  })

  test('keep the bytes of a whole document as they came, with its byte order mark', async () => {
    for (const text of ['\ufeff<a/>', '\ufeff{\n}']) {
      const [entry] = await readAll(text)
      expect(Buffer.from(entry?.original ?? []).toString()).toBe(text)
    }
  })

  test.each([
    ['nothing', '', 'intake/empty'],
    ['white space', ' \n\t\r\n', 'intake/empty'],
    ['an empty list', '[ ]', 'intake/empty'],
    ['a sentence', 'no format at all', 'intake/format-unknown'],
    ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le'), 'intake/encoding'],
    ['a file of zeros', Buffer.alloc(5000), 'intake/format-unknown'],
    ['an archive', Buffer.from('PK\u0003\u0004\u0014\u0000'), 'intake/format-unknown'],
  ])('of %s are one refused record', async (_what, content, code) => {
    const entries = await readAll(content)
    expect(entries.map(codesOf)).toEqual([[code]])
  })

  test('over the size limit keep their beginning, their length and the digest of all of them', async () => {
    const limits = { lineBytesMax: 20_000, documentBytesMax: 10_000, excerptBytesMax: 100 }
    const long = JSON.stringify({ a: 'x'.repeat(40_000) })
    const entries = await readAll(`${declaration('A')}\n${long}\n${declaration('B')}`, { limits })
    expect(idsOf(entries)).toEqual(['A', 'intake/line-too-large', 'B'])
    expect(entries[1]).toMatchObject({ originalLength: long.length, digest: sha256(bytesOf(long)) })
    expect(entries[1]?.original).toHaveLength(100)

    const xml = `<a>${'<b/>'.repeat(5000)}</a>`
    const [document] = await readAll(xml, { limits })
    expect(codesOf(document)).toEqual(['intake/document-too-large'])
    expect(document).toMatchObject({ originalLength: xml.length, digest: sha256(bytesOf(xml)) })
  })

  test('with more values than are read are refused before any is made', async () => {
    const text = `{"a":[${'0,'.repeat(2000)}0]}`
    const [entry] = await readAll(text, { limits: { valuesMax: 1000 } })
    expect(codesOf(entry)).toEqual(['intake/too-many-values'])
  })

  test('that break an array cost the elements from there on, and none before', async () => {
    expect(idsOf(await readAll(`[${declaration('A')},{"x":},${declaration('B')}]`))).toEqual([
      'A',
      'intake/json-syntax',
      'B',
    ])
    expect(idsOf(await readAll(`[${declaration('A')},${declaration('B')}`))).toEqual([
      'A',
      'B',
      'intake/array-unfinished',
    ])
    expect(idsOf(await readAll(`[${declaration('A')}]${declaration('B')}`))).toEqual(['A', 'intake/trailing-content'])
  })

  test('list no more problems than the limit, and how many more there are', async () => {
    const items = Array.from({ length: 50 }, (_, at) => `A1,EX,KZ,CN,cleared,x,Wheat,${at}`)
    const header = 'declarationId,kind,exportCountry,destinationCountry,statusCode,commodityCode,description,sequence'
    const [entry] = await readAll([header, ...items].join('\n'), { limits: { problemsMax: 10 } })
    expect(codesOf(entry)).toHaveLength(11)
    expect(entry?.result.ok === false && entry.result.refusal.problems.at(-1)).toMatchObject({
      code: 'intake/more-problems',
      facts: { count: 41 },
    })
  })

  test('end when the source fails, with the failure of the source', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield bytesOf(`${declaration('A')}\n`)
      throw new Error('the line went down')
    }
    const taken: string[] = []
    const reading = (async () => {
      for await (const entry of readSubmission(failing(), home)) taken.push(...idsOf([entry]).map(String))
    })()
    await expect(reading).rejects.toThrow('the line went down')
    expect(taken).toEqual(['A'])
  })
})

describe('whatever comes', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
    fc
      .string({ unit: fc.constantFrom(...'{}[]<>/"\\,:;|=\n\r\t &!?-a1é\u0000\u202e'.split('')), maxLength: 400 })
      .map(bytesOf),
    fc.json().map(bytesOf),
    mutated(samples),
  )

  test('nothing throws, every record has a code, and every code is known', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (bytes) => {
        const entries = await readAll(bytes)
        expect(entries.length).toBeGreaterThan(0)
        for (const entry of entries) {
          const problems = entry.result.ok ? [] : entry.result.refusal.problems
          expect(problems.length > 0).toBe(!entry.result.ok)
          for (const { code, pointer } of [...problems, ...entry.notes]) {
            expect(Object.keys(intakeCodes)).toContain(code)
            expect(pointer === '' || pointer.startsWith('/')).toBe(true)
          }
        }
      }),
      { numRuns: 400 },
    )
  })

  test('the entries do not depend on where the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(hostile, fc.constantFrom(...samples)),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        async (bytes, sizes) => {
          const limits = { lineBytesMax: 30_000, documentBytesMax: 30_000, excerptBytesMax: 200 }
          expect(await readAll(bytes, { sizes, limits })).toEqual(await readAll(bytes, { limits }))
        },
      ),
      { numRuns: 150 },
    )
  })

  test('bad lines cost no good one', async () => {
    const bad = fc.oneof(
      fc.string({ minLength: 1, maxLength: 60 }).filter((text) => !/[\n\r]/.test(text) && text.trim() !== ''),
      fc
        .uint8Array({ minLength: 1, maxLength: 60 })
        .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 10 || byte === 13 ? 0 : byte)))),
      fc.constantFrom(
        '{',
        '{"a":',
        '[',
        '[{',
        '"',
        '}',
        ']',
        '{"record":"declaration"}',
        `{"a":"${'x'.repeat(70_000)}"}`,
      ),
    )
    const line = fc.oneof({ weight: 1, arbitrary: bad }, { weight: 2, arbitrary: fc.nat(9999) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        async (lines, ending) => {
          const good = lines.filter((each) => typeof each === 'number').map((each) => `G${each}`)
          const [first, ...others] = lines.map(String)
          // What begins like a document, and goes on like one after each whole line, is a broken document.
          const mayBeDocument = /^\s*[[{]/.test(first ?? '') && others.some((each) => /^\s*[\]},]/.test(each))
          fc.pre(good.length > 0 && !mayBeDocument && !/^\s*(<[a-z_?!]|\ufeff)/i.test(first ?? ''))
          const bytes = Buffer.concat(
            lines.flatMap((each) => [
              typeof each === 'number' ? bytesOf(declaration(`G${each}`)) : bytesOf(each),
              bytesOf(ending),
            ]),
          )
          const entries = await readAll(bytes, { limits: { lineBytesMax: 65_536 } })
          expect(idsOf(entries).filter((id) => String(id).startsWith('G'))).toEqual(good)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('memory', () => {
  test('at most one record is held, over 200 000 lines that come in pieces of any size', () => {
    const reader = new SubmissionReader(home)
    const block = bytesOf(`${declaration('A')}\n${'{"bad":\n'.repeat(9)}`.repeat(10))
    let entries = 0
    let heldMax = 0
    for (let round = 0; round < 2000; round += 1) {
      const cut = (round * 7919) % block.length
      for (const piece of [block.subarray(0, cut), block.subarray(cut)]) {
        for (const { position } of reader.push(piece)) entries = position
        heldMax = Math.max(heldMax, reader.heldBytes)
      }
    }
    for (const { position } of reader.end()) entries = position
    expect(entries).toBe(200_000)
    expect(heldMax).toBeLessThan(2 * 65_536)
  })

  test('at most one element of a list is held, and of a table what waits for rows that stand apart', () => {
    const element = bytesOf(`${declaration('A')},`)
    const list = new SubmissionReader({ ...home, limits: { lineBytesMax: 65_536 } })
    let heldMax = 0
    let count = 0
    for (const piece of [bytesOf('['), ...Array.from({ length: 3000 }, () => element)]) {
      for (const { position } of list.push(piece)) count = position
      if (count > 0) heldMax = Math.max(heldMax, list.heldBytes)
    }
    expect(count).toBe(3000)
    expect(heldMax).toBeLessThan(65_536 * 2)

    const table = new SubmissionReader({ ...home, limits: { waitingBytesMax: 10_000 } })
    heldMax = 0
    count = 0
    const header = 'declarationId,kind,exportCountry,destinationCountry,statusCode,commodityCode,description\n'
    for (const _ of table.push(bytesOf(header))) throw new Error('a header is no record')
    for (let at = 0; at < 3000; at += 1) {
      for (const { position } of table.push(bytesOf(`A${at},EX,KZ,CN,cleared,100199,Wheat\n`))) count = position
      heldMax = Math.max(heldMax, table.heldBytes)
    }
    expect(count).toBeGreaterThan(2900)
    expect(heldMax).toBeLessThan(65_536 + 10_000)
    expect([...table.end()].at(-1)?.position).toBe(3000)
  })

  test('a document or a line without end holds no more than its limit', async () => {
    const limits = { lineBytesMax: 10_000, documentBytesMax: 10_000, excerptBytesMax: 100 }
    for (const begin of ['<a>', '{"a":\n', '{"a":1}\n{"', '[{"', 'x', 'from,to\n"']) {
      const reader = new SubmissionReader({ ...home, limits })
      let heldMax = 0
      for (const piece of [begin, ...Array.from({ length: 300 }, () => 'y'.repeat(1000))]) {
        for (const _ of reader.push(bytesOf(piece))) heldMax = Math.max(heldMax, reader.heldBytes)
        heldMax = Math.max(heldMax, reader.heldBytes)
      }
      // The window in which a format is told is a line and 64 KiB more.
      expect(heldMax).toBeLessThan(160_000)
      expect([...reader.end()].length).toBeGreaterThan(0)
    }
  })
})

test('pieces of any kind of byte array are read, also views into others', async () => {
  const whole = bytesOf(`xx${declaration('A')}yy`)
  const view = new Uint8Array(whole.buffer, whole.byteOffset + 2, whole.length - 4)
  expect(idsOf(await readAll(view))).toEqual(['A'])
  const copied: string[] = []
  for await (const entry of readSubmission(inPieces(view, [5]), home))
    copied.push(Buffer.from(entry.original).toString())
  expect(copied).toEqual([declaration('A')])
})

/** Samples with bytes changed, removed, repeated and cut. */
function mutated(originals: readonly Buffer[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(40_000), fc.constantFrom('byte', 'remove', 'repeat', 'cut'), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([original, changes]) =>
      changes.reduce((bytes, [place, change, value]) => {
        const at = bytes.length === 0 ? 0 : place % bytes.length
        const after = bytes.subarray(at + 1)
        if (change === 'byte') return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), after])
        if (change === 'remove') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + value)])
        if (change === 'repeat') return Buffer.concat([bytes.subarray(0, at + value), bytes.subarray(at)])
        return bytes.subarray(0, at)
      }, original),
    )
}
