/** The words people read, per language: for every stable code what happened and what to do, and those of our pages. */
import { readFileSync } from 'node:fs'

export const languages = ['en', 'ru', 'kk', 'zh', 'ka'] as const
export type Language = (typeof languages)[number]

/** Each language in its own words. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: 'English',
  ru: 'Русский',
  kk: 'Қазақша',
  zh: '中文',
  ka: 'ქართული',
}

/**
 * `{name}` stands for the fact of that name. A part in square brackets is left out where one of its facts is not given:
 * `too large[ (at most {bytesMax} bytes)].`
 */
export interface Sentence {
  readonly what: string
  readonly todo?: string
}

type Facts = Readonly<Record<string, unknown>>

function readAll<Content>(name: string): Readonly<Record<Language, Content>> {
  const read = (language: Language): Content =>
    JSON.parse(readFileSync(new URL(`./${name}.${language}.json`, import.meta.url), 'utf8')) as Content
  return Object.fromEntries(languages.map((language) => [language, read(language)])) as Record<Language, Content>
}

const sentences = readAll<Readonly<Record<string, Sentence>>>('codes')
const pageTexts = readAll<Readonly<Record<string, string>>>('texts')

/** The first language of ours in an Accept-Language header or a locale such as `kk_KZ.UTF-8`; English where none is. */
export function chooseLanguage(wanted: string): Language {
  const ranked = wanted
    .split(',')
    .map((each) => {
      const [tag = '', ...parameters] = each.trim().split(';')
      const weight = parameters.map((parameter) => /^\s*q=([01](?:\.\d{1,3})?)$/.exec(parameter)?.[1]).find(Boolean)
      return { language: tag.toLowerCase().split(/[-_]/)[0] ?? '', weight: Number(weight ?? 1) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  return ranked.map(({ language }) => language).find(isLanguage) ?? 'en'
}

export function isLanguage(text: string): text is Language {
  return (languages as readonly string[]).includes(text)
}

/** The sentence for a code in the reader's language, with the facts in their places. A code without one shows itself. */
export function sentenceOf(code: string, wanted: string, facts: Facts): Sentence {
  const of = sentences[chooseLanguage(wanted)]
  const found = Object.hasOwn(of, code) ? of[code] : undefined
  if (!found) return { what: code }
  return { what: fill(found.what, facts), ...(found.todo && { todo: fill(found.todo, facts) }) }
}

/** A text of our own pages, with the facts in their places. */
export function textOf(key: string, language: Language, facts: Facts = {}): string {
  return fill(pageTexts[language][key] ?? key, facts)
}

/** Puts facts into their places. */
export function fill(text: string, facts: Facts): string {
  const said = (name: string): string | undefined => {
    const fact = Object.hasOwn(facts, name) ? facts[name] : undefined
    return fact === undefined || fact === null ? undefined : String(fact)
  }
  return text
    .replaceAll(/\[([^[\]]*)\]/g, (_whole, part: string) =>
      [...part.matchAll(/\{(\w+)\}/g)].every(([, name = '']) => said(name) !== undefined) ? part : '',
    )
    .replaceAll(/\{(\w+)\}/g, (_place, name: string) => said(name) ?? '…')
}
