import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../kernel/index.ts'
import { parseTreaties, type TreatyFile } from './parse-treaties.ts'
import { readTreaties } from './read-treaties.ts'

type Json = Record<string, unknown>

const version = { from: '2020-01-01', values: { termYears: 3, renewalYears: 3, noticeMonths: 6 }, source: 'Article 1' }
const clauseOf = (id: string, changes: Json = {}): Json => ({
  id,
  kind: 'duty',
  actor: 'both',
  area: 'exchange',
  testable: 'yes',
  status: 'planned',
  text: 'The sides do so.',
  behaviour: 'It is done.',
  ...changes,
})
const instrumentOf = (changes: Json = {}): Json => ({
  id: 'AA-2020',
  title: 'Agreement',
  titles: {},
  standing: 'concluded',
  sides: [
    { country: 'AA', party: 'A' },
    { country: 'BB', party: 'B' },
  ],
  languages: { authentic: ['en'], prevailing: null, rendered: ['en'] },
  signed: { on: '2020-01-01', variants: [] },
  entry: { model: 'on-signature', clause: 'AA-2020/1', inForceOn: '2020-01-01' },
  term: {
    model: 'renewing',
    term: 'AA-2020/1',
    renewal: 'AA-2020/1',
    notice: 'AA-2020/1',
    noticeForm: 'AA-2020/1',
    readings: [{ id: 'once', languages: ['en'], renewalsMax: 1, means: 'Once.' }],
  },
  source: { text: 'The text', languages: ['en'], official: true },
  signatories: [],
  ...changes,
})
const questions = { questions: [{ number: 1, group: 'G', question: 'Q?', default: 'D' }] }

function files(
  parts: { instrument?: Json; clauses?: Json[]; questions?: Json; more?: TreatyFile[] } = {},
): TreatyFile[] {
  const clauses = parts.clauses ?? [clauseOf('AA-2020/1', { versions: [version] })]
  return [
    { path: 'open-questions.json', text: JSON.stringify(parts.questions ?? questions) },
    { path: 'aa-2020/instrument.json', text: JSON.stringify(parts.instrument ?? instrumentOf()) },
    { path: 'aa-2020/article-1.json', text: JSON.stringify({ article: '1', title: 'T', clauses }) },
    ...(parts.more ?? []),
  ]
}

/** Where the reader stopped: file and pointer. */
function stop(all: TreatyFile[]): unknown {
  try {
    parseTreaties(all)
  } catch (error) {
    if (error instanceof Fault && error.code === 'law/treaty-unreadable')
      return [error.facts['path'], error.facts['pointer']]
    throw error
  }
  return 'read'
}
const stopWithVersions = (...versions: Json[]) =>
  stop(files({ clauses: [clauseOf('AA-2020/1', { versions: [version] }), clauseOf('AA-2020/2', { versions })] }))

describe('reading treaty files', () => {
  test('reads instruments, clauses and questions', () => {
    const law = parseTreaties(files())
    expect(law.clauses.map(({ id }) => id)).toEqual(['AA-2020/1'])
    expect(law.number('AA-2020/1', 'termYears', '2020-01-01')).toBe(3)
    expect(law.openQuestions).toHaveLength(1)
  })

  test('stops at JSON that is none, repeats a key or holds a fraction', () => {
    const article = 'aa-2020/article-1.json'
    const withText = (text: string) => stop([...files().slice(0, 2), { path: article, text }])
    expect(withText('{')).toEqual([article, ''])
    expect(withText('{"article":"1","article":"1"}')).toEqual([article, ''])
    expect(withText('{"article":1.5}')).toEqual([article, ''])
    expect(withText('[]')).toEqual([article, ''])
  })

  test('stops where a file does not fit, and points at the place', () => {
    const article = 'aa-2020/article-1.json'
    const of = (changes: Json) => stop(files({ clauses: [clauseOf('AA-2020/1', { versions: [version], ...changes })] }))
    expect(of({ status: 'done' })).toEqual([article, '/clauses/0/status'])
    expect(of({ text: '' })).toEqual([article, '/clauses/0/text'])
    expect(of({ statut: 'enforced' })).toEqual([article, '/clauses/0/statut'])
    expect(of({ versions: [{ ...version, values: { term_years: 3 } }] })).toEqual([
      article,
      expect.stringContaining('/clauses/0/versions/0/values'),
    ])
    expect(of({ versions: [] })).toEqual([article, '/clauses/0/versions'])
    expect(stop(files({ instrument: instrumentOf({ sides: [] }) }))).toEqual(['aa-2020/instrument.json', '/sides'])
  })

  test('stops at a clause of another instrument, and at one that stands there twice', () => {
    const first = clauseOf('AA-2020/1', { versions: [version] })
    expect(stop(files({ clauses: [first, clauseOf('BB-2020/2')] }))).toEqual([
      'aa-2020/article-1.json',
      '/clauses/1/id',
    ])
    expect(stop(files({ clauses: [first, first] }))).toEqual(['aa-2020/article-1.json', '/clauses/1/id'])
    const again = {
      path: 'aa-2020/article-2.json',
      text: JSON.stringify({ article: '2', title: 'T', clauses: [first] }),
    }
    expect(stop(files({ more: [again] }))).toEqual(['aa-2020/article-2.json', '/clauses/0/id'])
  })

  test('stops at versions that overlap, and takes those that meet', () => {
    const place = (name: string) => ['aa-2020/article-1.json', `/clauses/1/versions/1/${name}`]
    const first = { from: '2020-01-01', until: '2020-12-31', values: {}, source: 'S' }
    expect(stopWithVersions(first, { from: '2020-12-31', values: {}, source: 'S' })).toEqual(place('from'))
    expect(stopWithVersions(first, { from: '2019-01-01', values: {}, source: 'S' })).toEqual(place('from'))
    expect(stopWithVersions({ ...first, until: undefined }, { from: '2021-01-01', values: {}, source: 'S' })).toEqual(
      place('from'),
    )
    expect(stopWithVersions(first, { from: '2021-01-01', values: {}, source: 'S' })).toBe('read')
    expect(stopWithVersions(first, { from: '2021-06-01', values: {}, source: 'S' })).toBe('read')
  })

  test('stops at a version that ends before it begins, and at a day that no calendar has', () => {
    const place = (name: string) => ['aa-2020/article-1.json', `/clauses/1/versions/0/${name}`]
    expect(stopWithVersions({ from: '2020-02-01', until: '2020-01-31', values: {}, source: 'S' })).toEqual(
      place('until'),
    )
    expect(stopWithVersions({ from: '2021-02-29', values: {}, source: 'S' })).toEqual(place('from'))
    expect(stopWithVersions({ from: '2020-02-29', until: '2021-02-29', values: {}, source: 'S' })).toEqual(
      place('until'),
    )
    expect(stopWithVersions({ from: '2020-02-01', until: '2020-02-01', values: {}, source: 'S' })).toBe('read')
  })

  test('stops at a default that answers no question, or that the treaty gives as well', () => {
    const place = '/clauses/1/versions/0/defaults/days'
    const days = (question: number, values: Json = {}) =>
      stopWithVersions({ from: '2020-01-01', values, defaults: { days: { value: 5, question } }, source: 'S' })
    expect(days(1)).toBe('read')
    expect(days(2)).toEqual(['aa-2020/article-1.json', `${place}/question`])
    expect(days(1, { days: 4 })).toEqual(['aa-2020/article-1.json', place])
    const twice = { questions: [...questions.questions, ...questions.questions] }
    expect(stop(files({ questions: twice }))).toEqual(['open-questions.json', '/questions/1/number'])
  })

  test('stops where an instrument points at what is not there', () => {
    const at = (changes: Json) => stop(files({ instrument: instrumentOf(changes) }))
    const place = (pointer: string) => ['aa-2020/instrument.json', pointer]
    const { term } = instrumentOf() as { term: Json }
    expect(at({ entry: { model: 'on-signature', clause: 'AA-2020/9', inForceOn: null } })).toEqual(
      place('/entry/clause'),
    )
    expect(at({ entry: { model: 'on-signature', clause: 'AA-2020/1', inForceOn: '2021-02-29' } })).toEqual(
      place('/entry/inForceOn'),
    )
    expect(at({ term: { ...term, notice: 'AA-2020/9' } })).toEqual(place('/term/notice'))
    expect(at({ parent: { instrument: 'BB-2020', clause: 'AA-2020/1' } })).toEqual(place('/parent/instrument'))
    expect(at({ surviving: { question: 1, clauses: ['AA-2020/9'] } })).toEqual(place('/surviving/clauses/0'))
    expect(at({ surviving: { question: 9, clauses: ['AA-2020/1'] } })).toEqual(place('/surviving/question'))
    expect(at({ formerIds: ['AA-2020'] })).toEqual(place('/formerIds/0'))
    expect(at({ signed: { on: '2021-02-29', variants: [] } })).toEqual(place('/signed/on'))
  })

  test('stops when a term has no number to count with', () => {
    const { noticeMonths: _, ...values } = version.values
    const clauses = [clauseOf('AA-2020/1', { versions: [{ ...version, values }] })]
    expect(stop(files({ clauses }))).toEqual(['aa-2020/instrument.json', '/term/notice'])
    expect(stop(files({ clauses: [clauseOf('AA-2020/1')] }))).toEqual(['aa-2020/instrument.json', '/term/term'])
  })

  test('stops at two instruments of one id, at files of none, and at no instrument at all', () => {
    const again = { path: 'bb-2020/instrument.json', text: JSON.stringify(instrumentOf()) }
    expect(stop(files({ more: [again] }))).toEqual(['bb-2020/instrument.json', '/id'])
    const stray = { path: 'cc-2020/article-1.json', text: '{}' }
    expect(stop(files({ more: [stray] }))).toEqual(['cc-2020/article-1.json', ''])
    expect(stop([])).toEqual(['', ''])
  })

  test('reads or stops by name, whatever a file holds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom(0, 1, 2), (text, index) => {
        const all = files()
        all[index] = { ...all[index]!, text }
        expect(['read', expect.any(Array)]).toContainEqual(stop(all))
      }),
      { numRuns: 300 },
    )
  })

  test('stops by name, whichever part of a good file is replaced', () => {
    const [, , article] = files()
    const tokens = JSON.parse(article!.text) as { clauses: Json[] }
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(clauseOf('AA-2020/1')), 'versions'), fc.jsonValue(), (key, value) => {
        const changed = { ...tokens, clauses: [{ ...tokens.clauses[0], [key]: value }] }
        const all = [...files().slice(0, 2), { path: article!.path, text: JSON.stringify(changed) }]
        expect(['read', expect.any(Array)]).toContainEqual(stop(all))
      }),
      { numRuns: 300 },
    )
  })
})

describe('reading a treaties folder', () => {
  test('reads every file of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'treaties-'))
    try {
      mkdirSync(join(folder, 'aa-2020'))
      for (const { path, text } of files()) writeFileSync(join(folder, path), text)
      writeFileSync(join(folder, 'README.md'), 'not law')
      expect(readTreaties(folder).clauses).toHaveLength(1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('stops at a folder that is not there', () => {
    expect(() => readTreaties(join(tmpdir(), 'no-such-treaties'))).toThrow(
      expect.objectContaining({ code: 'law/treaty-unreadable' }),
    )
  })
})
