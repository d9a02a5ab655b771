/** Codes and sentences agree both ways, in every language. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  chooseLanguage,
  fill,
  type Language,
  languages,
  type Sentence,
  sentenceOf,
} from '../../src/platform/catalogue/index.ts'
import { readCodes, refusalsPage, writeRefusals } from '../../tools/refusals.ts'

const source = fileURLToPath(new URL('../../src/', import.meta.url))
const read = <Content>(name: string): Content =>
  JSON.parse(readFileSync(join(source, 'platform/catalogue', name), 'utf8')) as Content
const sentences = Object.fromEntries(
  languages.map((language) => [language, read<Record<string, Sentence>>(`codes.${language}.json`)]),
) as Record<Language, Record<string, Sentence>>
const texts = Object.fromEntries(
  languages.map((language) => [language, read<Record<string, string>>(`texts.${language}.json`)]),
) as Record<Language, Record<string, string>>

const codes = await readCodes()
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()
const placeholdersOf = ({ what, todo = '' }: Sentence): string[] => placeholders(`${what} ${todo}`)

/** Files of the program by path, without tests and without the lists themselves. */
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !/\.test\.ts$|(^|\/)codes\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }))

describe('codes', () => {
  test('every code is listed once', () => {
    const seen = codes.map(({ code }) => code)
    expect(seen.filter((code, index) => seen.indexOf(code) !== index)).toEqual([])
  })

  test('every code that the program gives is listed', () => {
    const domains = [...new Set(codes.map(({ code }) => code.split('/')[0]))].join('|')
    // Prepared statements have names of the same form.
    const given = files.flatMap(({ text }) =>
      [...text.matchAll(new RegExp(`(?<!\\bname: )'((?:${domains})/[a-z0-9-]+)'`, 'g'))].map(([, code = '']) => code),
    )
    const listed = new Set(codes.map(({ code }) => code))
    expect([...new Set(given)].filter((code) => !listed.has(code))).toEqual([])
  })
})

describe.each(languages)('sentences in %s', (language) => {
  test('every code has a sentence, and no sentence is without a code', () => {
    expect(Object.keys(sentences[language]).sort()).toEqual(codes.map(({ code }) => code).sort())
  })

  test('every sentence has the facts of the English one', () => {
    const differing = codes.filter(
      ({ code }) =>
        String(placeholdersOf(sentences[language][code] ?? { what: '' })) !==
        String(placeholdersOf(sentences.en[code] ?? { what: '' })),
    )
    expect(differing).toEqual([])
  })

  test('every sentence ends as a sentence does, and its brackets close', () => {
    const broken = Object.entries(sentences[language]).filter(([, { what, todo }]) =>
      [what, ...(todo === undefined ? [] : [todo])].some(
        (text) => !/[.。?]$/.test(text) || /\[[^\]]*(\[|$)|^[^[]*\]/.test(text) || /\s{2}|^\s|\s$/.test(text),
      ),
    )
    expect(broken).toEqual([])
  })

  test('the words of the pages are the same as in English, with the same facts', () => {
    expect(Object.keys(texts[language])).toEqual(Object.keys(texts.en))
    const differing = Object.entries(texts[language]).filter(
      ([key, text]) => String(placeholders(text)) !== String(placeholders(texts.en[key] ?? '')),
    )
    expect(differing).toEqual([])
  })

  test('sentences are in the script of the language', () => {
    const scripts: Record<Language, RegExp> = {
      en: /\p{Script=Latin}/u,
      ru: /\p{Script=Cyrillic}/u,
      kk: /\p{Script=Cyrillic}/u,
      zh: /\p{Script=Han}/u,
      ka: /\p{Script=Georgian}/u,
    }
    const foreign = Object.entries(sentences[language]).filter(([, { what }]) => !scripts[language].test(what))
    expect(foreign).toEqual([])
  })
})

test('no sentence asks for a fact that nothing near its code carries', () => {
  const unknown = Object.entries(sentences.en).flatMap(([code, sentence]) => {
    const near = files.filter(({ text }) => text.includes(`'${code}'`)).map(({ text }) => text)
    if (near.length === 0) return []
    return placeholdersOf(sentence)
      .filter((name) => !near.some((text) => new RegExp(`\\b${name}\\b`).test(text)))
      .map((name) => `${code} {${name}}`)
  })
  expect(unknown).toEqual([])
})

test('the page of refusals is what would be written now', async () => {
  expect(readFileSync(refusalsPage, 'utf8')).toBe(await writeRefusals())
})

describe('filling a sentence', () => {
  test('puts facts in their places and leaves out what was not given', () => {
    expect(fill('too large[ (at most {bytesMax} bytes)].', { bytesMax: 5 })).toBe('too large (at most 5 bytes).')
    expect(fill('too large[ (at most {bytesMax} bytes)].', {})).toBe('too large.')
    expect(fill('{a} and {b}', { a: 0, b: null })).toBe('0 and …')
  })

  test('takes nothing from a fact but its text, and nothing from the prototype', () => {
    expect(fill('{a}', { a: '{b}', b: 'never' })).toBe('{b}')
    expect(fill('[{constructor}]{toString}', {})).toBe('…')
    expect(sentenceOf('constructor', 'en', {})).toEqual({ what: 'constructor' })
  })

  test('never throws, whatever the facts are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...codes.map(({ code }) => code)),
        fc.constantFrom(...languages),
        fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
        (code, language, facts) => {
          expect(sentenceOf(code, language, facts).what.length).toBeGreaterThan(0)
        },
      ),
    )
  })
})

describe('choosing a language', () => {
  test.each([
    ['kk-KZ,kk;q=0.9,ru;q=0.8', 'kk'],
    ['de,fr;q=0.9', 'en'],
    ['ru;q=0.1,zh-Hans-CN;q=0.9', 'zh'],
    ['ka_GE.UTF-8', 'ka'],
    ['ru;q=0,en', 'en'],
    ['kkk', 'en'],
    ['', 'en'],
  ])('takes the first of ours in %s: %s', (wanted, language) => {
    expect(chooseLanguage(wanted)).toBe(language)
  })

  test('answers any header with one of ours', () => {
    fc.assert(fc.property(fc.string(), (wanted) => (languages as readonly string[]).includes(chooseLanguage(wanted))))
  })
})
