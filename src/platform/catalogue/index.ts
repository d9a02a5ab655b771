/** The sentences people read, per language: what happened and what to do, for every stable code. */
import { readFileSync } from 'node:fs'

export const languages = ['en', 'ru', 'kk', 'zh', 'ka'] as const
export type Language = (typeof languages)[number]

/** `{name}` in a sentence is replaced by the fact of that name. */
export interface Sentence {
  readonly what: string
  readonly todo?: string
}

type Catalogue = Readonly<Record<string, Sentence>>

const read = (language: Language): Catalogue =>
  JSON.parse(readFileSync(new URL(`./codes.${language}.json`, import.meta.url), 'utf8')) as Catalogue

const catalogues = Object.fromEntries(languages.map((language) => [language, read(language)])) as Readonly<
  Record<Language, Catalogue>
>

/** The first language of ours in an Accept-Language header or a locale such as `kk_KZ.UTF-8`; English where none is. */
export function chooseLanguage(wanted: string): Language {
  const ranked = wanted
    .split(',')
    .map((each) => {
      const [tag = '', ...parameters] = each.trim().split(';')
      const weight = parameters.map((parameter) => /^\s*q=([01](?:\.\d{1,3})?)$/.exec(parameter)?.[1]).find(Boolean)
      return { tag: tag.toLowerCase().slice(0, 2), weight: Number(weight ?? 1) }
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
  const found = ranked.find(({ tag }) => (languages as readonly string[]).includes(tag))
  return (found?.tag as Language | undefined) ?? 'en'
}

/** The sentence for a code in the reader's language, with the facts in their places. A code without one shows itself. */
export function sentenceOf(code: string, wanted: string, facts: Readonly<Record<string, unknown>>): Sentence {
  const found = catalogues[chooseLanguage(wanted)][code] ?? catalogues.en[code]
  if (!found) return { what: code }
  const fill = (text: string): string =>
    text.replaceAll(/\{(\w+)\}/g, (place, name: string) => (facts[name] === undefined ? place : String(facts[name])))
  return { what: fill(found.what), ...(found.todo && { todo: fill(found.todo) }) }
}
