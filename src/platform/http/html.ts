/** Pages written on the server: escaped by default, one plain style, nothing loaded from elsewhere and no script. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { chooseLanguage, isLanguage, type Language, languageNames, languages, textOf } from '../catalogue/index.ts'

/** Text that is markup already. Everything else is escaped where it is put in. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}

export type HtmlValue = Html | string | number | null | undefined | readonly HtmlValue[]

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function markupOf(value: HtmlValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Html) return value.markup
  if (typeof value === 'object') return value.map(markupOf).join('')
  return String(value).replaceAll(/[&<>"']/g, (sign) => escapes[sign] ?? sign)
}

/** Markup with values in it; the values are escaped. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((text, index) => text + markupOf(values[index])).join(''))
}

/** What a page needs to be written for one reader. */
export interface Reader {
  readonly language: Language
  /** Set when the reader chose the language on a page; links carry it on. */
  readonly chosen: Language | undefined
  readonly text: (key: string, facts?: Readonly<Record<string, unknown>>) => string
  /** A text with markup among its facts. */
  readonly rich: (key: string, facts: Readonly<Record<string, HtmlValue>>) => Html
  /** A link within this node, with the chosen language. */
  readonly link: (path: string, query?: Readonly<Record<string, string>>) => string
}

/** The reader of a page: the language chosen by `?lang=`, else the first of ours that the browser asks for. */
export function readerOf(request: Pick<FastifyRequest, 'headers' | 'query'>): Reader {
  const wanted = (request.query as { lang?: unknown } | undefined)?.lang
  const chosen = typeof wanted === 'string' && isLanguage(wanted) ? wanted : undefined
  const language = chosen ?? chooseLanguage(request.headers['accept-language'] ?? 'en')
  return {
    language,
    chosen,
    text: (key, facts = {}) => textOf(key, language, facts),
    rich: (key, facts) => {
      const marked = Object.fromEntries(Object.keys(facts).map((name) => [name, `\0${name}\0`]))
      const parts = textOf(key, language, marked).split('\0')
      return html`${parts.map((part, index) => (index % 2 === 0 ? part : facts[part]))}`
    },
    link: (path, query = {}) => {
      const parameters = new URLSearchParams({ ...query, ...(chosen && { lang: chosen }) }).toString()
      return parameters === '' ? path : `${path}?${parameters}`
    },
  }
}

export interface Page {
  readonly title: string
  /** The path of this page, for the language links. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly content: Html
  readonly version: string
}

const contentSecurityPolicy =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function sendPage(reply: FastifyReply, reader: Reader, page: Page, status = 200): FastifyReply {
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('content-security-policy', contentSecurityPolicy)
    .header('content-language', reader.language)
    .header('vary', 'accept-language')
    .send(layout(reader, page).markup)
}

function layout(reader: Reader, { title, path, query = {}, content, version }: Page): Html {
  const { language, text, link } = reader
  const pages = [
    ['/', 'status'],
    ['/api/v1/docs', 'apiPages'],
  ] as const
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} — Dostyk</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#content">${text('skip')}</a>
<header>
<p class="brand">Dostyk</p>
<nav aria-label="${text('pages')}"><ul>${pages.map(([to, key]) =>
    to === path
      ? html`<li><a href="${link(to)}" aria-current="page">${text(key)}</a></li>`
      : html`<li><a href="${link(to)}">${text(key)}</a></li>`,
  )}</ul></nav>
<nav aria-label="${text('languages')}"><ul>${languages.map((each) => {
    const to = `${path}?${new URLSearchParams({ ...query, lang: each }).toString()}`
    return each === language
      ? html`<li><a href="${to}" lang="${each}" hreflang="${each}" aria-current="true">${languageNames[each]}</a></li>`
      : html`<li><a href="${to}" lang="${each}" hreflang="${each}">${languageNames[each]}</a></li>`
  })}</ul></nav>
</header>
<main id="content" tabindex="-1">
<h1>${title}</h1>
${content}
</main>
<footer><p>${text('software', { version })}</p></footer>
</body>
</html>
`
}

/**
 * A table in a region of its own that scrolls sideways where it must, also by keyboard.
 * @param options `numeric`: columns of numbers; `underHeading`: the heading above says what the caption would
 */
export function table(
  caption: string,
  heads: readonly string[],
  rows: ReadonlyArray<readonly HtmlValue[]>,
  options: { readonly numeric?: readonly number[]; readonly empty: string; readonly underHeading?: boolean },
): Html {
  if (rows.length === 0)
    return html`${options.underHeading ? null : html`<h3>${caption}</h3>`}<p class="quiet">${options.empty}</p>`
  const numeric = new Set(options.numeric)
  const cell = (value: HtmlValue, column: number): Html => {
    if (column === 0) return html`<th scope="row">${value}</th>`
    return numeric.has(column) ? html`<td class="number">${value}</td>` : html`<td>${value}</td>`
  }
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption${options.underHeading ? html` class="unseen"` : null}>${caption}</caption>
<thead><tr>${heads.map((head, column) =>
    numeric.has(column) ? html`<th scope="col" class="number">${head}</th>` : html`<th scope="col">${head}</th>`,
  )}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table></div>`
}

/** Names with what belongs to each; what is not known is left out. */
export function details(pairs: ReadonlyArray<readonly [string, HtmlValue]>): Html {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
  return html`<dl>${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

/** Writes instants in the administration's zone, with the same in UTC for whoever points at it. */
export function timeWriter(zone: string): (instant: string | null | undefined) => Html | undefined {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  return (instant) => {
    if (!instant) return undefined
    const at = new Date(instant)
    const utc = at.toISOString().slice(0, 19)
    return html`<time datetime="${at.toISOString()}" title="${utc.replace('T', ' ')} UTC">${format.format(at)}</time>`
  }
}
